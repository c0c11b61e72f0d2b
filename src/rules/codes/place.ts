/** Findings about who asks and about places: a part of the table in rule-codes.ts. */

import type { CodeTable } from './code-table.ts';

export const placeCodes = {
  'FW-RULE-120': {
    title: 'Bad name of a region or zone',
    cure: 'Give it as the topology labels of the nodes name it, at most 63 characters; leave it out for any.',
  },
  'FW-RULE-121': {
    title: 'Not exactly one kind of locality preference',
    cure: 'Give exactly one of prefer, order and shares.',
  },
  'FW-RULE-122': {
    title: 'Unknown step of nearness',
    cure: 'Use node, zone, region, cluster or network.',
  },
  'FW-RULE-123': { title: 'A place that names nothing', cure: 'Name a region, a zone or a cluster.' },
  'FW-RULE-124': { title: 'spillover out of range', cure: 'Give a whole number of per cents, from 100 to 100000.' },
  'FW-RULE-125': {
    title: 'Weight of a place out of range',
    cure: 'Give a whole number from 1 to 1000000; leave out a place that is to take nothing.',
  },
  'FW-RULE-126': {
    title: 'Bad namespace of a source',
    cure: 'Give a lower-case name of letters, digits and "-", at most 63 characters.',
  },
  'FW-RULE-127': {
    title: 'Bad label of a source',
    cure: 'Give labels as they stand on pods: a key with or without a prefix, and a value of at most 63 characters.',
  },
  'FW-RULE-128': {
    title: 'A place that can never count',
    cure: 'Remove it, or put it before the wider one that has all of its endpoints.',
  },
  'FW-RULE-129': {
    title: 'Shares that can never count',
    cure: 'Move the entry before the one that fits all of its clients, or remove it.',
  },
  'FW-RULE-130': {
    title: 'A destination outside of within',
    cure: 'Remove it, or widen within: traffic never leaves that place, so this destination takes no request.',
  },
  'FW-RULE-131': {
    title: 'No endpoint is in this region or zone',
    cure: 'Correct the name, or label the nodes; the rule takes effect when an endpoint is there.',
  },
  'FW-RULE-132': {
    title: 'No endpoint is within the place that traffic must not leave',
    cure: 'Correct the place, or start endpoints in it: until then all requests are answered with 503.',
  },
} as const satisfies CodeTable;
