/** Findings about Istio's objects. docs/errors.md is generated from this table; a code is never reused for another meaning. */

import type { ErrorCode } from '../core/errors.ts';

export const istioCodes = {
  'FW-ISTIO-001': {
    title: 'A field that Istio does not have',
    cure: 'Correct its name, or remove it; Istio takes no notice of it either.',
  },
  'FW-ISTIO-002': {
    title: 'A field that has no equal here',
    cure: 'It is left out. Remove it once you can do without, or say otherwise what it was for.',
  },
  'FW-ISTIO-003': {
    title: 'A value of the wrong type',
    cure: 'Write what Istio’s reference says: https://istio.io/latest/docs/reference/config/networking/',
  },
  'FW-ISTIO-004': {
    title: 'A value that has no equal here',
    cure: 'Do what the message says; what cannot be said exactly is not translated.',
  },
  'FW-ISTIO-005': {
    title: 'A condition or a destination that cannot be said here',
    cure: 'Change it, or write the TrafficRule by hand: a part of the routes without it would send requests elsewhere.',
  },
  'FW-ISTIO-006': {
    title: 'A host that no rule can be for',
    cure: 'Name services of the mesh one by one: `reviews`, or `reviews.shop.svc.cluster.local`.',
  },
  'FW-ISTIO-007': {
    title: 'Routes for a gateway',
    cure: 'Only what is for the mesh is translated. Keep the gateway’s routes where they are.',
  },
  'FW-ISTIO-008': {
    title: 'Another VirtualService has the host',
    cure: 'Merge the two, or delete one: in the mesh the oldest is in force, then the first by name.',
  },
  'FW-ISTIO-009': {
    title: 'A delegate that is not there',
    cure: 'Create the VirtualService, without hosts, or correct the name; until then the route does not exist.',
  },
  'FW-ISTIO-010': {
    title: 'A delegate that delegates',
    cure: 'Write the routes into the delegate itself: Istio takes one level of delegates.',
  },
  'FW-ISTIO-011': {
    title: 'A delegate’s route that contradicts its root',
    cure: 'Let each match of the delegate be a part of one of the root’s; until then the route does not exist.',
  },
  'FW-ISTIO-012': {
    title: 'A subset that no DestinationRule defines',
    cure: 'Give the DestinationRule too; until then the subset’s name is taken for a version.',
  },
  'FW-ISTIO-013': {
    title: 'A subset that is not a version or a place',
    cure: 'Give its workloads a version label of their own and name it in the subset.',
  },
  'FW-ISTIO-014': {
    title: 'Labels of a subset beside its version',
    cure: 'See to it that the version alone tells the workloads apart: it is all that is looked at.',
  },
  'FW-ISTIO-015': {
    title: 'A policy that is not for everybody',
    cure: 'Put the DestinationRule into the namespace of its service, for all clients; a TrafficRule’s policy is for all.',
  },
  'FW-ISTIO-016': {
    title: 'Another DestinationRule has the host',
    cure: 'Merge the two: the oldest policy is in force, and the first subset of each name.',
  },
  'FW-ISTIO-017': {
    title: 'The translation is refused as a rule',
    cure: 'Make it simpler, or write the TrafficRule by hand; the message says what a rule cannot be.',
  },
  'FW-ISTIO-018': {
    title: 'A delegate that nobody names',
    cure: 'Name it in a route of a VirtualService with hosts, or delete it.',
  },
  'FW-ISTIO-019': {
    title: 'A ServiceEntry that cannot be an ExternalService',
    cure: 'Write an ExternalService by hand, or keep what it names reachable in another way.',
  },
  'FW-ISTIO-020': {
    title: 'A destination without a port',
    cure: 'Name the port: here it is the one that was asked for, in Istio the only one of the service.',
  },
  'FW-ISTIO-021': {
    title: 'Nothing of it is for the mesh',
    cure: 'Nothing needs to be done, unless it was meant for the mesh: then name the gateway `mesh`.',
  },
  'FW-ISTIO-022': {
    title: 'A kind of Istio’s that is not read',
    cure: 'VirtualService, DestinationRule and ServiceEntry are translated; see docs/istio.md for the others.',
  },
  'FW-ISTIO-023': {
    title: 'An object is given twice',
    cure: 'Remove one of the two, or convert the files one by one.',
  },
} as const satisfies Readonly<Record<ErrorCode, { readonly title: string; readonly cure: string }>>;

export type IstioCode = keyof typeof istioCodes;
