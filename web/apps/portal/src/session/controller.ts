/**
 * Carries out what the machine decides: calls the portal API, holds the connection of the moment,
 * keeps its picture on the stage until the next one has drawn. No words and no layout here, and
 * nothing of React: it is at work before the page that shows it has come.
 */
import { ApiProblem, api, type Launch } from '@oriel/api';
import { LocalClipboard, desktopSize, ironRdp, sameSize } from '@oriel/session';
import type { CopyWays, Input, LinkEnd, RemoteSession, Size, Target } from '@oriel/session';
import { copyWays, followsWindow, wantedSize } from '../policy.ts';
import { preferences, onPreferences } from '../preferences.ts';
import { addressOf, readGoal } from './address.ts';
import { noteOpen, wasWished } from './arrival.ts';
import { requestLaunch } from './launch.ts';
import { start, step, type Effect, type Event, type State } from './machine.ts';
import { goSignIn } from './way-back.ts';

/** After this long without a change of the window, its size is the one that is wanted. */
const RESIZE_QUIET_MS = 700;
/** How long a host may take to follow a resize before the connection is made anew at that size. */
const RESIZE_ANSWER_MS = 1_500;
/** A connection that has held this long starts a new count of tries when it is lost. */
const SETTLED_MS = 10_000;
/** The client may crash this often in a tab before it is left at that. */
const MAX_CRASHES = 3;
const CRASHES_KEY = 'oriel.crashes';

export interface Snapshot {
  state: State;
  /** What the host's clipboard last held, and whether the local one has it. */
  hostClipboard: { text: string; written: boolean } | null;
  /** When the next try is due, for the countdown; ms since the epoch. */
  nextTryAt: number | null;
  online: boolean;
}

export class SessionController implements Target {
  readonly clipboard: LocalClipboard;
  #snapshot: Snapshot;
  #listeners = new Set<() => void>();
  #stage: HTMLElement | null = null;
  #session: RemoteSession | null = null;
  /** Whether the connection of the moment has drawn its first picture. */
  #drawn = false;
  #size: Size | null = null;
  /** Of a desktop that does not follow its window: as it was at the start. */
  #fixedSize: Size | null = null;
  /** Whether the host was seen to follow a resize; what it promises is not always so. */
  #follows: boolean | null = null;
  /** Addresses that led to no picture: not tried again in this tab. */
  #deadEnds = new Set<string>();
  #reached: string | null = null;
  #timers = new Map<'launch' | 'resize' | 'settle', number>();
  #launched = false;

  /** Begins at once. */
  constructor() {
    const first = start(readGoal(location.search), wasReloaded(), wasWished());
    this.#snapshot = { state: first.state, hostClipboard: null, nextTryAt: null, online: navigator.onLine };
    this.clipboard = new LocalClipboard({
      offer: (text) => this.#session?.offerClipboard(text),
      received: (text, written) => this.#show({ hostClipboard: { text, written } }),
    });
    window.addEventListener('online', () => {
      this.#show({ online: true });
      this.dispatch({ type: 'try_now' });
    });
    window.addEventListener('offline', () => {
      this.#show({ online: false });
      // The connection may look alive for minutes; it is not.
      this.#lose({ kind: 'network', text: 'the browser is offline' });
    });
    onPreferences(() => this.#allowClipboard());
    // The client is the largest part: it comes in while the farm finds a host. Connecting tells of a failure.
    ironRdp.load().catch(() => {});
    this.#carryOut(first.effects);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Resolves when the first connection only waits for the host to draw, or did not come about. */
  underway(): Promise<void> {
    const isBusy = () => ['launching', 'connecting'].includes(this.#snapshot.state.name);
    return new Promise((resolve) => {
      if (!isBusy()) return resolve();
      const stop = this.subscribe(() => {
        if (isBusy()) return;
        stop();
        resolve();
      });
    });
  }

  /** Shows its picture on a stage, the element that it fills, until that is undone. */
  attach(stage: HTMLElement): () => void {
    this.#stage = stage;
    const observer = new ResizeObserver(() => this.#onStageResized());
    observer.observe(stage);
    const undo = this.clipboard.attach();
    if (this.#session) stage.append(this.#session.canvas);
    this.#fit();
    this.#showPicture();
    return () => {
      observer.disconnect();
      undo();
      this.#stage = null;
    };
  }

  dispatch(event: Event): void {
    const before = this.#snapshot.state;
    const next = step(before, event);
    if (next.state !== before) {
      this.#show({ state: next.state });
      this.#entered(next.state, before);
    }
    this.#carryOut(next.effects);
  }

  send(inputs: Input[]): void {
    this.#session?.send(inputs);
  }

  release(): void {
    this.#session?.release();
  }

  setLocks(locks: Parameters<RemoteSession['setLocks']>[0]): void {
    this.#session?.setLocks(locks);
  }

  get canvas(): HTMLCanvasElement | null {
    return this.#session?.canvas ?? null;
  }

  /** Ends the session for good. What follows is told by the farm. */
  async logOff(): Promise<void> {
    const id = this.#snapshot.state.goal.session;
    if (id !== null) await api.logOff(id);
  }

  #show(changes: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...changes };
    this.#listeners.forEach((tell) => tell());
  }

  #entered(state: State, before: State): void {
    if (state.name !== 'pausing') this.#show({ nextTryAt: null });
    if (state.goal !== before.goal) noteOpen(addressOf(state.goal));
    if (state.name === 'connected' && before.name !== 'connected') {
      this.#after('settle', SETTLED_MS, () => {
        forgetCrashes();
        this.dispatch({ type: 'settled' });
      });
      void this.clipboard.read();
      // The window may have changed while the connection was being made.
      this.#onStageResized();
    }
    if (state.name === 'ended') {
      this.#after('launch', null);
      this.#after('resize', null);
    }
  }

  #carryOut(effects: Effect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case 'launch':
          this.#show({ nextTryAt: effect.afterMs > 0 ? Date.now() + effect.afterMs : null });
          this.#after('launch', effect.afterMs, () => {
            if (this.#snapshot.state.name === 'pausing') this.dispatch({ type: 'try_now' });
            else void this.#launch();
          });
          break;
        case 'connect':
          this.#connect(effect.launch);
          break;
        case 'ask':
          void this.#ask(effect.connection, effect.waitSecs);
          break;
        case 'drop':
          this.#drop();
          break;
        case 'reload':
          this.#reload();
          break;
        case 'sign_in':
          goSignIn(addressOf(this.#snapshot.state.goal));
          break;
      }
    }
  }

  async #launch(): Promise<void> {
    const { goal } = this.#snapshot.state;
    noteOpen(addressOf(goal));
    // Benchmarks measure from here to the first picture; the page itself was asked for at time 0.
    performance.mark('oriel:launch', this.#launched ? {} : { startTime: 0 });
    this.#launched = true;
    try {
      this.#size = desktopSize(this.#area());
      this.dispatch({ type: 'launched', launch: await requestLaunch(goal, this.#size) });
    } catch (error) {
      this.dispatch({ type: 'launch_failed', problem: asProblem(error) });
    }
  }

  #connect(launch: Launch): void {
    this.#drop();
    // Only while this connection is the one of the moment is its news of interest.
    const isCurrent = () => this.#session === session;
    const session: RemoteSession = ironRdp.create({
      reached: (address) => {
        if (isCurrent()) this.#reached = address;
      },
      picture: () => {
        if (!isCurrent()) return;
        this.#drawn = true;
        this.#showPicture();
      },
      sized: (size) => {
        if (!isCurrent()) return;
        this.#size = size;
        this.#follows = true;
        this.#after('resize', null);
        this.#fit();
      },
      cursor: (css) => {
        session.canvas.style.cursor = css;
      },
      clipboard: (text) => {
        if (isCurrent()) void this.clipboard.fromHost(text);
      },
      ended: (link) => {
        if (isCurrent()) this.#lose(link);
      },
    });
    this.#session = session;
    this.#drawn = false;
    this.#reached = null;
    const wanted = wantedSize(launch.policy, launch.size, this.#area());
    this.#size = followsWindow(launch.policy, launch.size) ? wanted : (this.#fixedSize ??= wanted);
    this.clipboard.forget();
    this.#allowClipboard();
    this.#stage?.append(session.canvas);
    session.canvas.width = this.#size?.width ?? session.canvas.width;
    session.canvas.height = this.#size?.height ?? session.canvas.height;
    this.#fit();
    void session
      .connect({
        addresses: this.#addresses(launch),
        ticket: launch.ticket,
        session: launch.session_id,
        size: this.#size ?? desktopSize(this.#area()),
        clipboard: copyWays(launch.policy, launch.channels),
      })
      .then(() => isCurrent() && this.dispatch({ type: 'linked' }));
  }

  /** The first picture counts when it is drawn and on the stage, whichever comes last. */
  #showPicture(): void {
    if (!this.#drawn || !this.#stage || this.#snapshot.state.name === 'connected') return;
    for (const old of this.#stage.querySelectorAll('canvas')) if (old !== this.#session?.canvas) old.remove();
    performance.mark('oriel:first-picture');
    this.dispatch({ type: 'picture' });
  }

  async #ask(connection: string, waitSecs: number): Promise<void> {
    try {
      const end = await api.connectionEnd(connection, waitSecs);
      this.dispatch({ type: 'told', end });
    } catch (error) {
      this.dispatch({ type: 'not_told', problem: asProblem(error) });
    }
  }

  /** The connection is over, whoever ended it. Its last picture stays. */
  #lose(link: LinkEnd): void {
    if (!this.#session) return;
    if (!this.#drawn && this.#reached !== null) this.#deadEnds.add(this.#reached);
    this.#drop();
    this.#after('resize', null);
    this.#after('settle', null);
    this.dispatch({ type: 'link_over', link, online: navigator.onLine });
  }

  #drop(): void {
    const session = this.#session;
    this.#session = null;
    session?.disconnect();
  }

  #reload(): void {
    const crashes = countCrash();
    if (crashes > MAX_CRASHES) {
      this.dispatch({ type: 'give_up', text: 'the client crashed again and again' });
      return;
    }
    location.reload();
  }

  /** Where the organisation sends clients first, and then where the page came from. */
  #addresses(launch: Launch): string[] {
    const own = location.host;
    const routes = launch.routes.filter((route) => route !== own).map((route) => `wss://${route}/rdp`);
    return [...routes.filter((route) => !this.#deadEnds.has(route)), `wss://${own}/rdp`];
  }

  #allowClipboard(): void {
    const state = this.#snapshot.state;
    const ways: CopyWays = 'launch' in state ? copyWays(state.launch.policy, state.launch.channels) : { into: false, out: false };
    const wanted = preferences().clipboard;
    this.clipboard.ways = { into: ways.into && wanted, out: ways.out && wanted };
  }

  #area(): Size {
    // The stage fills the window, so its size is known before it is there.
    return { width: this.#stage?.clientWidth ?? innerWidth, height: this.#stage?.clientHeight ?? innerHeight };
  }

  #onStageResized(): void {
    this.#fit();
    const { state } = this.#snapshot;
    if (state.name !== 'connected' || !followsWindow(state.launch.policy, state.launch.size)) return;
    const { policy, size } = state.launch;
    this.#after('resize', RESIZE_QUIET_MS, () => {
      const wanted = wantedSize(policy, size, this.#area());
      if (this.#size === null || sameSize(wanted, this.#size)) return;
      if (!state.launch.dynamic_resize || this.#follows === false) {
        this.dispatch({ type: 'resize' });
        return;
      }
      this.#session?.resize(wanted);
      // `sized` takes this timer away if the host follows.
      this.#after('resize', RESIZE_ANSWER_MS, () => {
        this.#follows = false;
        this.dispatch({ type: 'resize' });
      });
    });
  }

  /** Shows each picture as large as the stage allows, one to one where it fits. */
  #fit(): void {
    const area = this.#area();
    for (const canvas of this.#stage?.querySelectorAll('canvas') ?? []) {
      const spare = { width: area.width - canvas.width, height: area.height - canvas.height };
      // Sizes are rounded down to what hosts can do; a few pixels are not worth a blurred picture.
      const exact = spare.width >= 0 && spare.height >= 0 && spare.width < 8 && spare.height < 8;
      const scale = exact ? 1 : Math.min(area.width / canvas.width, area.height / canvas.height);
      canvas.style.width = `${canvas.width * scale}px`;
      canvas.style.height = `${canvas.height * scale}px`;
    }
  }

  #after(name: 'launch' | 'resize' | 'settle', ms: number | null, work?: () => void): void {
    window.clearTimeout(this.#timers.get(name));
    if (ms === null || !work) {
      this.#timers.delete(name);
      return;
    }
    if (ms === 0) {
      work();
      return;
    }
    this.#timers.set(name, window.setTimeout(work, ms));
  }
}

let begun: SessionController | undefined;

/** The session of this tab; it begins with the first call. */
export function tabSession(): SessionController {
  return (begun ??= new SessionController());
}

function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  return new ApiProblem({ status: 0, code: 'internal', message: String(error) });
}

function wasReloaded(): boolean {
  const [entry] = performance.getEntriesByType('navigation');
  return (entry as PerformanceNavigationTiming | undefined)?.type === 'reload';
}

function countCrash(): number {
  const count = Number(sessionStorage.getItem(CRASHES_KEY) ?? '0') + 1;
  sessionStorage.setItem(CRASHES_KEY, String(count));
  return count;
}

const forgetCrashes = (): void => sessionStorage.removeItem(CRASHES_KEY);
