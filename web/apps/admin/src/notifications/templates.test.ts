import { describe, expect, it } from 'vitest';
import { at, formOf, type Field } from '../form/fields.ts';
import { TEMPLATES, fromTemplate } from './templates.ts';

const event = formOf('notification').fields.event as Extract<Field, { is: 'choice' }>;

describe('templates of notifications', () => {
  it('are there for everything that can be watched, and nothing else', () => {
    expect(Object.keys(TEMPLATES).toSorted()).toEqual(event.of.toSorted());
  });

  it.each(event.of as (keyof typeof TEMPLATES)[])('say only what a notification can say: %s', (each) => {
    const unknown = Object.keys(fromTemplate(each)).filter((field) => !(field in formOf('notification').fields));
    expect(unknown).toEqual([]);
    expect(at(fromTemplate(each), ['mail', 'administrators'])).toBe(true);
  });
});
