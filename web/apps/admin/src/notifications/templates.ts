/** Notifications to start from, one for each thing that can be watched: lines that are seldom wrong. */
import type { CrossedLine, Notification, Watched } from '@oriel/api/management';

const above = (value: number, percent = false): CrossedLine => ({ direction: 'rises_above', value, percent });

type Template = Pick<Notification, 'threshold' | 'grace_minutes'>;

/** A load is told once it has lasted; what is away, once it had time for a restart. */
export const TEMPLATES: Record<Watched, Template> = {
  cpu: { threshold: above(90), grace_minutes: 10 },
  memory: { threshold: above(90), grace_minutes: 10 },
  disk: { threshold: above(90) },
  sessions: { threshold: above(90, true), grace_minutes: 5 },
  active_sessions: { threshold: above(90, true), grace_minutes: 5 },
  disconnected_sessions: { threshold: above(50, true), grace_minutes: 30 },
  tunnelled_sessions: { threshold: above(200), grace_minutes: 5 },
  failed_connections: { threshold: above(10) },
  uses: { threshold: above(90, true), grace_minutes: 5 },
  refused_sign_ins: { threshold: above(20) },
  certificate_days: { threshold: { direction: 'falls_below', value: 14 } },
  host_away: { grace_minutes: 3 },
  host_unhealthy: { grace_minutes: 3 },
  gateway_away: { grace_minutes: 1 },
  backup_failed: {},
  schedule_given_up: {},
};

/** What a notification of the template says: administrators get mail, once until it is well again. */
export const fromTemplate = (event: Watched): Partial<Notification> => ({ event, ...TEMPLATES[event], mail: { administrators: true, addresses: [] } });
