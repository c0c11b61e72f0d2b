/** Findings about Drains. docs/errors.md is generated from this table; a code is never reused for another meaning. */

import type { CodeTable } from './code-table.ts';

export const drainCodes = {
  'FW-RULE-210': { title: 'Nothing to drain', cure: 'Name a cluster, a zone, or both.' },
  'FW-RULE-211': { title: 'Bad cluster name', cure: 'Name a registered cluster; `fairway get clusters` lists them.' },
  'FW-RULE-212': { title: 'Bad zone', cure: 'Give a zone as the nodes carry it in topology.kubernetes.io/zone.' },
  'FW-RULE-213': { title: 'Bad service', cure: 'Write NAMESPACE/NAME; leave `services` out for all services.' },
  'FW-RULE-214': {
    title: 'Bad or too long time for a drain',
    cure: 'Write a duration of at most 168h, such as 30s, 5m or 1h; 0s moves everything at once.',
  },
  'FW-RULE-215': {
    title: 'Bad start of a drain',
    cure: 'Write a time as in 2026-01-31T08:00:00Z; leave it out to begin when the object is made.',
  },
  'FW-RULE-216': {
    title: 'A drain does not say when it began',
    cure: 'Write startAt: without it the drain begins anew whenever the pilot does. `fairway cluster drain` needs none.',
  },
  'FW-RULE-217': {
    title: 'A drain would leave services without capacity',
    cure: 'Give these services ready endpoints elsewhere, or leave them out; `force: true` moves them all the same.',
  },
  'FW-RULE-218': {
    title: 'No such cluster is registered',
    cure: 'Register the cluster, or correct the name; the drain counts from when it appears.',
  },
  'FW-RULE-219': {
    title: 'No endpoint is in this zone',
    cure: 'Correct the zone; the drain counts for endpoints that appear there.',
  },
  'FW-RULE-220': {
    title: 'No such service',
    cure: 'Correct the name; the drain counts for the service when it appears.',
  },
} as const satisfies CodeTable;
