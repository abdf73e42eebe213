export { ironRdp } from './iron-rdp.ts';
export { LocalClipboard, mayRead } from './local-clipboard.ts';
export { attachKeyboard } from './hands/keyboard.ts';
export { attachPointer } from './hands/pointer.ts';
export { COMBINATIONS, inputsOf, type Combination } from './hands/combinations.ts';
export type { Target } from './hands/target.ts';
export { desktopSize, sameSize } from './size.ts';
export type * from './remote-session.ts';
