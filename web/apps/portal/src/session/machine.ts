/**
 * The life of a session's page as a plain function: a state and an event give the next state and
 * what is to be done. No clock, no network, no page.
 */
import type { ApiProblem, ConnectionEnd, Launch } from '@oriel/api';
import type { LinkEnd } from '@oriel/session/types';
import { reconnectMs } from '../policy.ts';

/** Why a connection is being made. */
export type Why = 'start' | 'return' | 'lost' | 'resize';

/** What to open: a session that runs, or a resource for which one is found or made. */
export interface Goal {
  session: string | null;
  resource: string | null;
  /** For how long a lost connection may be taken up again, in ms; absent or null: as long as the page likes. */
  reconnectMs?: number | null;
}

export type Ending =
  /** The session or connection ended, and the farm says why. */
  | { kind: 'told'; end: ConnectionEnd }
  /** The farm refused to open it. */
  | { kind: 'refused'; problem: ApiProblem }
  /** The session to return to is not there any more. */
  | { kind: 'gone' }
  | { kind: 'left' }
  /** Reconnecting did not work, or was not wanted any more. */
  | { kind: 'given_up'; text: string }
  | { kind: 'signed_out' };

export type State =
  /** The page was not opened by the portal: nothing starts before the user says so. */
  | { name: 'offered'; goal: Goal }
  | { name: 'launching'; why: Why; attempt: number; goal: Goal }
  | { name: 'connecting'; why: Why; attempt: number; goal: Goal; launch: Launch }
  /** Connected, but nothing has been drawn yet. */
  | { name: 'waiting'; why: Why; attempt: number; goal: Goal; launch: Launch }
  | { name: 'connected'; attempt: number; goal: Goal; launch: Launch }
  /** The connection is over; the farm is asked why. */
  | { name: 'asking'; why: Why; attempt: number; goal: Goal; launch: Launch; link: LinkEnd }
  /** Waits before the next try. */
  | { name: 'pausing'; why: Why; attempt: number; goal: Goal; delayMs: number; problem: ApiProblem | null }
  | { name: 'ended'; goal: Goal; ending: Ending };

export type Event =
  | { type: 'launched'; launch: Launch }
  | { type: 'launch_failed'; problem: ApiProblem }
  | { type: 'linked' }
  | { type: 'picture' }
  /** Connected for long enough that the next loss is a new one. */
  | { type: 'settled' }
  | { type: 'link_over'; link: LinkEnd; online: boolean }
  | { type: 'told'; end: ConnectionEnd }
  | { type: 'not_told'; problem: ApiProblem }
  | { type: 'try_now' }
  /** The user takes the offer. */
  | { type: 'open' }
  | { type: 'resize' }
  /** With a text: not by the user's wish. */
  | { type: 'give_up'; text?: string }
  | { type: 'open_again' };

export type Effect =
  | { do: 'launch'; afterMs: number }
  | { do: 'connect'; launch: Launch }
  | { do: 'ask'; connection: string; waitSecs: number }
  /** Drop the connection, if there is one. */
  | { do: 'drop' }
  /** The client has crashed: only a new page gets a new one. */
  | { do: 'reload' }
  | { do: 'sign_in' };

export interface Step {
  state: State;
  effects: Effect[];
}

/** Waits before each try, in ms: about three minutes in all, in which a gateway or host restarts. */
export const PAUSES_MS = [300, 1_000, 2_000, 3_000, 5_000, 8_000, 13_000, 20_000, 30_000, 30_000, 30_000, 30_000];
/** Where a policy says how long is tried, every further pause is as long as this. */
const LONGEST_PAUSE_MS = 30_000;
/** A host that cannot be understood will not be understood better the tenth time. */
const MAX_PROTOCOL_TRIES = 2;
/** How long the broker may wait for the gateway's or host's word on an ending. */
const ASK_SECS = 5;

/** These end a connection through nobody's wish, so the page returns by itself. */
const RETURN_FROM = new Set(['network_lost', 'gateway_closing', 'host_lost']);
/** These answers to a launch pass by themselves. */
const PASSING = new Set(['unreachable', 'farm_starting', 'busy', 'internal', 'session_ending']);
/** So does this one when a session that runs is returned to: its host or agent is restarting. */
const PASSING_ON_RETURN = 'host_refused';

export function start(goal: Goal, isReload: boolean, isWished: boolean): Step {
  if (!isWished && (goal.session ?? goal.resource) !== null) return { state: { name: 'offered', goal }, effects: [] };
  const why: Why = isReload && goal.session !== null ? 'return' : 'start';
  return launch(goal, why, 0, 0);
}

export function step(state: State, event: Event): Step {
  switch (event.type) {
    case 'launched': {
      if (state.name !== 'launching') return stay(state);
      const { session_id: session, resource_id: resource, policy } = event.launch;
      const goal: Goal = { session, resource, reconnectMs: reconnectMs(policy) };
      return {
        state: { ...state, name: 'connecting', goal, launch: event.launch },
        effects: [{ do: 'connect', launch: event.launch }],
      };
    }
    case 'launch_failed':
      return state.name === 'launching' ? launchFailed(state, event.problem) : stay(state);
    case 'linked':
      return state.name === 'connecting' ? { state: { ...state, name: 'waiting' }, effects: [] } : stay(state);
    case 'picture':
      if (state.name !== 'connecting' && state.name !== 'waiting') return stay(state);
      return {
        state: { name: 'connected', attempt: state.attempt, goal: state.goal, launch: state.launch },
        effects: [],
      };
    case 'settled':
      return state.name === 'connected' ? { state: { ...state, attempt: 0 }, effects: [] } : stay(state);
    case 'link_over':
      return linkOver(state, event.link, event.online);
    case 'told':
      return state.name === 'asking' ? told(state, event.end) : stay(state);
    case 'not_told':
      return state.name === 'asking' ? notTold(state, event.problem) : stay(state);
    case 'try_now':
      return state.name === 'pausing' ? launch(state.goal, state.why, state.attempt, 0) : stay(state);
    case 'open':
      return state.name === 'offered' ? launch(state.goal, 'start', 0, 0) : stay(state);
    case 'resize': {
      if (state.name !== 'connected') return stay(state);
      const next = launch(state.goal, 'resize', state.attempt, 0);
      return { ...next, effects: [{ do: 'drop' }, ...next.effects] };
    }
    case 'give_up': {
      if (state.name === 'ended') return stay(state);
      const wasIn = state.name === 'connected' || state.name === 'waiting' || state.name === 'connecting';
      const wished = wasIn && event.text === undefined;
      const ending: Ending = wished ? { kind: 'left' } : { kind: 'given_up', text: event.text ?? '' };
      return end(state.goal, ending, [{ do: 'drop' }]);
    }
    case 'open_again':
      return state.name === 'ended' ? openAgain(state) : stay(state);
  }
}

type Launching = Extract<State, { name: 'launching' }>;
type Asking = Extract<State, { name: 'asking' }>;

function launchFailed(state: Launching, problem: ApiProblem): Step {
  if (problem.code === 'signed_out') return end(state.goal, { kind: 'signed_out' }, [{ do: 'sign_in' }]);
  // Asked for a session, told that there is none: neither code says more than the other.
  const gone = problem.code === 'session_gone' || (problem.code === 'not_found' && state.goal.session !== null);
  if (gone) return end(state.goal, { kind: 'gone' });
  const passes = PASSING.has(problem.code) || (problem.code === PASSING_ON_RETURN && state.goal.session !== null);
  if (passes) return pause(state.goal, state.why, state.attempt, problem);
  return end(state.goal, { kind: 'refused', problem });
}

function linkOver(state: State, link: LinkEnd, online: boolean): Step {
  if (state.name !== 'connecting' && state.name !== 'waiting' && state.name !== 'connected') return stay(state);
  if (link.kind === 'crashed') return { state, effects: [{ do: 'reload' }] };
  const why: Why = state.name === 'connected' ? 'lost' : state.why === 'start' ? 'start' : 'lost';
  if (link.kind === 'network' && !online && state.goal.reconnectMs !== 0) return pause(state.goal, 'lost', state.attempt, null);
  return {
    state: { name: 'asking', why, attempt: state.attempt, goal: state.goal, launch: state.launch, link },
    effects: [{ do: 'ask', connection: state.launch.connection_id, waitSecs: ASK_SECS }],
  };
}

function told(state: Asking, answer: ConnectionEnd): Step {
  const reason = answer.ended ? answer.reason : null;
  const mayReturn = reason !== null && RETURN_FROM.has(reason) && state.goal.reconnectMs !== 0;
  if (reason !== null && !mayReturn) return end(state.goal, { kind: 'told', end: answer });
  // The host is lost for good, and the session with it.
  if (reason === 'host_lost' && !answer.session_running && state.attempt >= MAX_PROTOCOL_TRIES) {
    return end(state.goal, { kind: 'told', end: answer });
  }
  return tryAgain(state);
}

function notTold(state: Asking, problem: ApiProblem): Step {
  if (problem.code === 'signed_out') return end(state.goal, { kind: 'signed_out' }, [{ do: 'sign_in' }]);
  return tryAgain(state);
}

function tryAgain(state: Asking): Step {
  const stubborn = state.link.kind === 'protocol' || state.link.kind === 'refused' || state.link.kind === 'closed';
  if (stubborn && state.attempt >= MAX_PROTOCOL_TRIES) {
    return end(state.goal, { kind: 'given_up', text: state.link.text });
  }
  return pause(state.goal, state.why, state.attempt, null, state.link.text);
}

/** The pause before this try; undefined: there is none any more. */
function pauseOf(attempt: number, why: Why, withinMs: number | null): number | undefined {
  const own = PAUSES_MS[attempt];
  // How long something may take to open at all is no matter of reconnecting.
  if (withinMs === null || why === 'start' || why === 'resize') return own;
  const spent = Array.from({ length: attempt }, (_, before) => PAUSES_MS[before] ?? LONGEST_PAUSE_MS);
  return spent.reduce((sum, ms) => sum + ms, 0) < withinMs ? (own ?? LONGEST_PAUSE_MS) : undefined;
}

function pause(goal: Goal, why: Why, attempt: number, problem: ApiProblem | null, text = ''): Step {
  const pauseMs = pauseOf(attempt, why, goal.reconnectMs ?? null);
  if (pauseMs === undefined) {
    return end(goal, problem ? { kind: 'refused', problem } : { kind: 'given_up', text });
  }
  const delayMs = Math.max(pauseMs, (problem?.retryAfterSecs ?? 0) * 1000);
  return {
    state: { name: 'pausing', why, attempt: attempt + 1, goal, delayMs, problem },
    effects: [{ do: 'launch', afterMs: delayMs }],
  };
}

function openAgain(state: Extract<State, { name: 'ended' }>): Step {
  const { ending, goal } = state;
  // Return to what still runs; make a new one where it is gone.
  const runs =
    ending.kind === 'left' ||
    ending.kind === 'given_up' ||
    ending.kind === 'signed_out' ||
    (ending.kind === 'told' && ending.end.session_running) ||
    (ending.kind === 'refused' && goal.session !== null);
  const next: Goal = runs || goal.resource === null ? goal : { session: null, resource: goal.resource };
  return launch(next, 'start', 0, 0);
}

function launch(goal: Goal, why: Why, attempt: number, afterMs: number): Step {
  return { state: { name: 'launching', why, attempt, goal }, effects: [{ do: 'launch', afterMs }] };
}

function end(goal: Goal, ending: Ending, effects: Effect[] = []): Step {
  return { state: { name: 'ended', goal, ending }, effects };
}

const stay = (state: State): Step => ({ state, effects: [] });

/** The word that tests and styles read. */
export function phaseOf(state: State): 'offered' | 'connecting' | 'connected' | 'reconnecting' | 'ended' {
  switch (state.name) {
    case 'offered':
    case 'connected':
    case 'ended':
      return state.name;
    default:
      return state.why === 'start' ? 'connecting' : 'reconnecting';
  }
}
