/** Filters as the broker takes them. */

/** Any of these fields contains the words. Quotation marks cannot be searched for: the words stand in them. */
export const anyOf = (fields: readonly string[], words: string): string => fields.map((field) => `${field}~:"${words.replaceAll('"', '')}"`).join('|');
