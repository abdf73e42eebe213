import { notifyFailed } from '@oriel/look/notify';
import type { TFunction } from 'i18next';
import { wordsOf } from '../words.ts';

export { notify } from '@oriel/look/notify';

export const notifyFailure = (error: unknown, t: TFunction): void => notifyFailed(wordsOf(error, t));
