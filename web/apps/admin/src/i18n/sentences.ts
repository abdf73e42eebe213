/**
 * The server's sentences in the portal's language. The API speaks English, in sentences with a fixed text and values
 * put in (`is 7; must be from 1 to 5`); the catalogue has those texts, and the values are taken over from one to the
 * other. What is not in the catalogue stays as it was said.
 */

/** Texts with values (`is {0}; must be from {1} to {2}`) in English and in another language. */
export type Sentences = Record<string, string>;

interface Pattern {
  is: RegExp;
  values: { name: string; isQuoted: boolean }[];
  /** Characters of its own: where several fit, the one that says most counts. */
  weight: number;
  said: string;
}

/** A value may be a sentence itself (`the launch failed: …`), but not for ever. */
const DEPTH_MAX = 3;

/** Longer ones are no sentences of ours: text of programs that went wrong. */
const LENGTH_MAX = 2_000;

const VALUE = /\{(\w+)\}/g;

export class Translation {
  private readonly whole = new Map<string, string>();
  private readonly patterns: Pattern[] = [];

  /** `terms`: words that values are, such as those for kinds of objects. */
  constructor(sentences: Sentences, private readonly terms: ReadonlyMap<string, string> = new Map()) {
    for (const [text, said] of Object.entries(sentences)) {
      const values = [...text.matchAll(VALUE)].map((match) => ({ name: match[1] ?? '', isQuoted: text.charAt(match.index - 1) === '"' }));
      if (values.length === 0) {
        this.whole.set(text, said);
        continue;
      }
      const own = text.split(/\{\w+\}/);
      const is = new RegExp(`^${own.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('(.*?)')}$`, 's');
      this.patterns.push({ is, values, said, weight: own.join('').length });
    }
    this.patterns.sort((one, other) => other.weight - one.weight);
  }

  /** The sentence in the catalogue's language, or as it is. */
  of(sentence: string): string {
    if (sentence.length > LENGTH_MAX) return sentence;
    return this.known(sentence, DEPTH_MAX) ?? this.asPart(sentence) ?? this.severalOf(sentence) ?? sentence;
  }

  private known(sentence: string, depth: number): string | undefined {
    const whole = this.whole.get(sentence);
    if (whole !== undefined || depth === 0) return whole;
    for (const { is, values, said } of this.patterns) {
      const match = is.exec(sentence);
      if (match === null) continue;
      // What stands in quotes is somebody's own word.
      const own = (value: string) => this.terms.get(value) ?? this.known(value, depth - 1) ?? value;
      const put = new Map(values.map(({ name, isQuoted }, index) => {
        const value = match[index + 1] ?? '';
        return [name, isQuoted ? value : own(value)];
      }));
      return said.replaceAll(VALUE, (_, name: string) => put.get(name) ?? '');
    }
    return undefined;
  }

  /** What is a part of sentences in the catalogue may stand alone: with a capital, and with a full stop. */
  private asPart(sentence: string): string | undefined {
    if (!sentence.endsWith('.')) return undefined;
    const part = sentence.slice(0, -1);
    const said = this.known(part.charAt(0).toLowerCase() + part.slice(1), DEPTH_MAX) ?? this.known(part, DEPTH_MAX);
    return said === undefined ? undefined : `${said.charAt(0).toUpperCase()}${said.slice(1)}.`;
  }

  /** Sentences after one another, where each is known by itself. */
  private severalOf(text: string): string | undefined {
    const sentences = text.split(/(?<=\.) (?=[A-Z])/);
    if (sentences.length < 2) return undefined;
    const said = sentences.map((each) => this.known(each, DEPTH_MAX) ?? this.asPart(each));
    return said.some((each) => each === undefined) ? undefined : said.join(' ');
  }
}
