import { ApiProblem, type ConnectionEnd, type Launch } from '@oriel/api';
import type { LinkEnd } from '@oriel/session/types';
import { describe, expect, it } from 'vitest';
import { PAUSES_MS, phaseOf, start, step, type Event, type State, type Step } from './machine.ts';

const launch: Launch = {
  connection_id: 'c1',
  session_id: 's1',
  resource_id: 'r1',
  resource_name: 'Editor',
  icon_url: null,
  host_name: 'host-1',
  reconnected: false,
  ticket: 't',
  ticket_expires_at: '',
  channels: { clipboard: true, drives: false, audio: false, microphone: false, printers: false },
  dynamic_resize: false,
  policy: null,
  size: { as: 'client' },
  routes: [],
};
const problem = (code: string, retryAfterSecs: number | null = null) =>
  new ApiProblem({ status: 503, code, message: '', retryAfterSecs });
const told = (reason: string | null, session_running = true): Event => ({
  type: 'told',
  end: { ended: reason !== null, reason, message: '', session_running } satisfies ConnectionEnd,
});
const over = (kind: LinkEnd['kind'], online = true): Event => ({
  type: 'link_over',
  link: { kind, text: kind },
  online,
});

const launched: Event = { type: 'launched', launch };
const up: Event[] = [launched, { type: 'linked' }, { type: 'picture' }];

/** Runs events from a fresh page and returns the last step. */
function run(events: Event[], from: Step = start({ session: null, resource: 'r1' }, false, true)): Step {
  return events.reduce((last, event) => step(last.state, event), from);
}
const seen = (last: Step) => [phaseOf(last.state), last.state.name];

describe('a session page', () => {
  it.each<[string, Event[], string[]]>([
    ['opens', up, ['connected', 'connected']],
    ['shows a picture that comes before the word that it is linked', [launched, { type: 'picture' }], ['connected', 'connected']],
    ['asks why when the other side closes', [...up, over('closed')], ['reconnecting', 'asking']],
    ['ends when the program has ended', [...up, over('closed'), told('logged_off', false)], ['ended', 'ended']],
    ['ends when an administrator resets it', [...up, over('closed'), told('reset', false)], ['ended', 'ended']],
    ['ends when it was opened elsewhere', [...up, over('closed'), told('taken_over')], ['ended', 'ended']],
    ['returns when the network was lost', [...up, over('network'), told('network_lost')], ['reconnecting', 'pausing']],
    ['returns when the gateway is being closed', [...up, over('closed'), told('gateway_closing')], ['reconnecting', 'pausing']],
    ['returns when nobody knows why', [...up, over('closed'), told(null)], ['reconnecting', 'pausing']],
    ['returns when the farm cannot be asked', [...up, over('network'), { type: 'not_told', problem: problem('unreachable') }], ['reconnecting', 'pausing']],
    ['does not even ask without a network', [...up, over('network', false)], ['reconnecting', 'pausing']],
    ['waits for a farm that starts', [{ type: 'launch_failed', problem: problem('farm_starting') }], ['connecting', 'pausing']],
    ['waits for the last session to end', [{ type: 'launch_failed', problem: problem('session_ending', 1) }], ['connecting', 'pausing']],
    ['tells a refusal at once', [{ type: 'launch_failed', problem: problem('no_host') }], ['ended', 'ended']],
    ['tells at once that a host refuses a new session', [{ type: 'launch_failed', problem: problem('host_refused') }], ['ended', 'ended']],
    ['tries again when a host refuses the session that runs there', [...up, over('network'), told('host_lost'), { type: 'try_now' }, { type: 'launch_failed', problem: problem('host_refused') }], ['reconnecting', 'pausing']],
    ['leaves when the user does', [...up, { type: 'give_up' }], ['ended', 'ended']],
    ['resizes by coming back', [...up, { type: 'resize' }], ['reconnecting', 'launching']],
    ['ignores late news after the end', [...up, { type: 'give_up' }, over('local'), told('disconnected')], ['ended', 'ended']],
  ])('%s', (_name, events, expected) => {
    expect(seen(run(events))).toEqual(expected);
  });

  it('returns to the same session', () => {
    const last = run([...up, over('network'), told('network_lost'), { type: 'try_now' }]);
    expect(last.state).toMatchObject({ name: 'launching', why: 'lost', goal: { session: 's1', resource: 'r1' } });
    expect(last.effects).toEqual([{ do: 'launch', afterMs: 0 }]);
  });

  it('pauses longer each time, and at last gives up', () => {
    let last = run(up);
    const pauses: number[] = [];
    while (last.state.name !== 'ended') {
      last = run([over('network'), told('network_lost')], last);
      if (last.state.name === 'pausing') {
        pauses.push(last.state.delayMs);
        last = run([{ type: 'try_now' }, ...up], last);
      }
    }
    expect(pauses).toEqual(PAUSES_MS);
    expect(last.state).toMatchObject({ ending: { kind: 'given_up' } });
  });

  it('starts counting anew once a connection has held', () => {
    const last = run([...up, over('network'), told('network_lost'), { type: 'try_now' }, ...up, { type: 'settled' }]);
    expect(last.state).toMatchObject({ name: 'connected', attempt: 0 });
  });

  it('waits as long as the farm asks', () => {
    const last = run([{ type: 'launch_failed', problem: problem('busy', 7) }]);
    expect(last.effects).toEqual([{ do: 'launch', afterMs: 7000 }]);
  });

  it('does not repeat what the host does not understand', () => {
    let last = run(up);
    for (let tries = 0; tries < 2; tries += 1) last = run([over('protocol'), told(null), { type: 'try_now' }, ...up], last);
    expect(run([over('protocol'), told(null)], last).state).toMatchObject({ ending: { kind: 'given_up' } });
  });

  it('loads the page anew after a crash of the client', () => {
    expect(run([...up, over('crashed')]).effects).toEqual([{ do: 'reload' }]);
  });

  it('sends the user to sign in and knows where to return', () => {
    const last = run([{ type: 'launch_failed', problem: problem('signed_out') }]);
    expect(last.effects).toEqual([{ do: 'sign_in' }]);
  });

  it.each<[string, Event[], Partial<State>]>([
    ['a session that is gone is opened anew', [{ type: 'launch_failed', problem: problem('session_gone') }], { goal: { session: null, resource: 'r1' } }],
    ['one that ended is opened anew', [launched, over('closed'), told('logged_off', false)], { goal: { session: null, resource: 'r1' } }],
    ['one that runs on is returned to', [launched, over('closed'), told('idle')], { goal: { session: 's1', resource: 'r1' } }],
  ])('when asked to open again, %s', (_name, events, expected) => {
    const last = run([...events, { type: 'open_again' }], start({ session: 's1', resource: 'r1' }, true, true));
    expect(last.state).toMatchObject({ name: 'launching', ...expected });
  });

  it('starts nothing that the portal did not open before the user says so', () => {
    const offered = start({ session: null, resource: 'r1' }, false, false);
    expect([seen(offered), offered.effects]).toEqual([['offered', 'offered'], []]);
    const late: Event[] = [launched, { type: 'picture' }, { type: 'try_now' }, over('closed')];
    expect(run(late, offered).state).toBe(offered.state);
    expect(run([{ type: 'open' }], offered).effects).toEqual([{ do: 'launch', afterMs: 0 }]);
    expect(start({ session: 's1', resource: null }, true, false).state.name).toBe('offered');
  });

  it('does not try for ever to return to a host that refuses', () => {
    let last = start({ session: 's1', resource: 'r1' }, true, true);
    for (let tries = 0; tries < PAUSES_MS.length; tries += 1) {
      last = run([{ type: 'launch_failed', problem: problem('host_refused') }], last);
      expect(last.state.name).toBe('pausing');
      last = run([{ type: 'try_now' }], last);
    }
    last = run([{ type: 'launch_failed', problem: problem('host_refused') }], last);
    expect(last.state).toMatchObject({ name: 'ended', ending: { kind: 'refused' } });
  });

  describe('by policy', () => {
    const under = (reconnect: boolean, reconnect_minutes: number): Event[] => {
      const policy = { name: 'Office', settings: { connection: { reconnect, reconnect_minutes, prelaunch: 'off' as const, max_minutes: null } } };
      return [{ type: 'launched', launch: { ...launch, policy } }, { type: 'linked' }, { type: 'picture' }];
    };

    it.each<[string, Event[]]>([
      ['the network was lost', [over('network'), told('network_lost')]],
      ['nobody knows why', [over('closed'), told(null)]],
      ['the farm cannot be asked', [over('network'), { type: 'not_told', problem: problem('unreachable') }]],
    ])('does not reconnect when %s', (_why, events) => {
      const last = run([...under(false, 10), ...events]);
      expect(last.state.name).toBe('ended');
      expect(last.effects.filter((effect) => effect.do === 'launch')).toEqual([]);
      expect(run([{ type: 'open_again' }], last).state.name).toBe('launching');
    });

    it.each([1, 10, 60])('reconnects for about %d minutes', (minutes) => {
      let last = run([...under(true, minutes), over('network'), told('network_lost')]);
      let waited = 0;
      while (last.state.name === 'pausing') {
        waited += last.state.delayMs;
        last = run([{ type: 'try_now' }, { type: 'launch_failed', problem: problem('unreachable') }], last);
        expect(waited).toBeLessThan((minutes + 1) * 60_000);
      }
      expect(last.state.name).toBe('ended');
      expect(waited).toBeGreaterThanOrEqual(minutes * 60_000);
    });
  });

  it('says that it returns after a reload', () => {
    expect(start({ session: 's1', resource: null }, true, true).state).toMatchObject({ why: 'return' });
    expect(start({ session: null, resource: 'r1' }, true, true).state).toMatchObject({ why: 'start' });
  });
});
