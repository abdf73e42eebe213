/** A failure in words: what happened, more on it, and what to do. */
export interface Words {
  title: string;
  detail: string;
  advice: string;
}
