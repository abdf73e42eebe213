/** This client, on this device. */
import type { ClientIs } from '@oriel/api';
import { preferences } from '../preferences.ts';
import { factsOf } from './client-facts.ts';

/** What it is, under the name that the user gave the device, if they did. */
export function clientIs(): ClientIs {
  const facts = factsOf(navigator.userAgent, navigator.maxTouchPoints);
  return { ...facts, kind: 'browser', name: preferences().deviceName || facts.name };
}

/** IANA name of the device's time zone. */
export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
