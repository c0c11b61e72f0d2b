/** Findings about how endpoints are treated: a part of the table in rule-codes.ts. */

import type { CodeTable } from './code-table.ts';

export const policyCodes = {
  'FW-RULE-090': {
    title: 'Unknown load balancing policy',
    cure: 'Use leastRequest, roundRobin, random, ringHash or maglev.',
  },
  'FW-RULE-091': {
    title: 'A load balancing setting is out of range',
    cure: 'Give a whole number within the bounds that the message names.',
  },
  'FW-RULE-092': {
    title: 'A setting of another load balancing policy',
    cure: 'Remove the setting, or choose the policy that it is for.',
  },
  'FW-RULE-093': { title: 'minRingSize is above maxRingSize', cure: 'Make minRingSize at most maxRingSize.' },
  'FW-RULE-094': { title: 'tableSize is no prime', cure: 'Give a prime, such as 65537.' },
  'FW-RULE-095': {
    title: 'Not exactly one kind of affinity',
    cure: 'Give exactly one of cookie, header, queryParam and sourceIP: true.',
  },
  'FW-RULE-096': {
    title: 'Affinity with a policy that has no hash',
    cure: 'Choose ringHash or maglev, or leave the policy out.',
  },
  'FW-RULE-097': {
    title: 'A hash policy without affinity',
    cure: 'Say by what requests belong together, under affinity; without it endpoints are chosen at random.',
  },
  'FW-RULE-098': {
    title: 'Bad cookie',
    cure: 'Give a cookie name as HTTP allows it, and a path that begins with "/".',
  },
  'FW-RULE-099': {
    title: 'A limit is out of range',
    cure: 'Give a whole number within the bounds that the message names, or leave the limit out.',
  },
  'FW-RULE-100': {
    title: 'Retries are limited twice',
    cure: 'Keep maxRetries or retryBudget: of the two, Envoy heeds the budget alone.',
  },
  'FW-RULE-101': { title: 'A duration is too short', cure: 'Give at least what the message names.' },
  'FW-RULE-102': {
    title: 'An outlier detection setting is out of range',
    cure: 'Give a whole number within the bounds that the message names.',
  },
  'FW-RULE-103': {
    title: 'baseEjection is longer than maxEjection',
    cure: 'Make baseEjection at most as long as maxEjection.',
  },
  'FW-RULE-104': {
    title: 'Not exactly one kind of health check',
    cure: 'Give exactly one of http, grpc and tcp.',
  },
  'FW-RULE-105': {
    title: 'Bad status codes of a health check',
    cure: 'Give codes or ranges in quotes, such as "204" or "200-299".',
  },
  'FW-RULE-106': {
    title: 'Bad path, host or service of a health check',
    cure: 'Give it as it stands in a request, without blanks and control characters.',
  },
  'FW-RULE-107': {
    title: 'A health check setting is out of range',
    cure: 'Give a whole number within the bounds that the message names.',
  },
  'FW-RULE-108': {
    title: 'Outlier detection that detects nothing, with settings',
    cure: 'Give consecutiveErrors or consecutiveGatewayErrors above 0, or remove the other settings.',
  },
} as const satisfies CodeTable;
