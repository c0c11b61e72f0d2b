/**
 * The CustomResourceDefinition of TrafficRule, made from schema.ts. deploy/crds/trafficrules.fairway.dev.yaml is its text.
 *
 * A pattern that has words (`x-fairway`) becomes a CEL rule, since the API server would otherwise show people the expression.
 */

import { stringify } from 'yaml';
import { ruleApiVersion, ruleKind } from './envelope.ts';
import { specSchema } from './schema.ts';
import type { CelRule, Schema } from './schema-types.ts';

const [group = '', version = ''] = ruleApiVersion.split('/');
const plural = 'trafficrules';

export const trafficRuleCrdFile = `deploy/crds/${plural}.${group}.yaml`;

const count = (description: string): Schema => ({ type: 'integer', format: 'int32', minimum: 0, description });

const condition: Schema = {
  type: 'object',
  description: 'One aspect of the state of the rule.',
  required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
  properties: {
    type: { type: 'string', description: 'Accepted, ResolvedRefs or Programmed.', maxLength: 316 },
    status: { type: 'string', description: 'True, False or Unknown.', enum: ['True', 'False', 'Unknown'] },
    reason: { type: 'string', description: 'Why, in one word for machines.', minLength: 1, maxLength: 1024 },
    message: { type: 'string', description: 'Why, for people.', maxLength: 32768 },
    observedGeneration: {
      type: 'integer',
      format: 'int64',
      minimum: 0,
      description: 'The generation that this was said of.',
    },
    lastTransitionTime: { type: 'string', format: 'date-time', description: 'When status became what it is.' },
  },
};

const statusSchema: Schema = {
  type: 'object',
  description: 'What Fairway says of the rule.',
  properties: {
    observedGeneration: {
      type: 'integer',
      format: 'int64',
      minimum: 0,
      description: 'The generation that was looked at last.',
    },
    conditions: {
      type: 'array',
      description:
        'Accepted: valid, and in force for its service. ResolvedRefs: its targets exist. Programmed: all connected proxies acknowledged it.',
      items: condition,
      maxItems: 8,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    },
    routes: count('How many routes are in force, or would be.'),
    proxies: {
      type: 'object',
      description: 'The connected proxies.',
      properties: {
        acknowledged: count('How many of them hold the rule.'),
        total: count('How many there are.'),
      },
    },
  },
};

const conditionStatus = (type: string): string => `.status.conditions[?(@.type=="${type}")].status`;

const columns = [
  { name: 'Service', type: 'string', jsonPath: '.spec.service' },
  { name: 'Accepted', type: 'string', jsonPath: conditionStatus('Accepted') },
  { name: 'Programmed', type: 'string', jsonPath: conditionStatus('Programmed') },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'ResolvedRefs', type: 'string', jsonPath: conditionStatus('ResolvedRefs'), priority: 1 },
  { name: 'Routes', type: 'integer', jsonPath: '.status.routes', priority: 1 },
  { name: 'Acknowledged', type: 'integer', jsonPath: '.status.proxies.acknowledged', priority: 1 },
  { name: 'Proxies', type: 'integer', jsonPath: '.status.proxies.total', priority: 1 },
  { name: 'Message', type: 'string', jsonPath: '.status.conditions[?(@.status=="False")].message', priority: 1 },
];

export function trafficRuleCrd(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/part-of': 'fairway' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        kind: ruleKind,
        listKind: `${ruleKind}List`,
        plural,
        singular: ruleKind.toLowerCase(),
        shortNames: ['tr'],
        categories: ['fairway'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description:
                'A TrafficRule says where the requests to one service go: to which versions, in which clusters, in which shares.',
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'The version of this form of the object.' },
                kind: { type: 'string', description: 'The kind of the object.' },
                metadata: { type: 'object' },
                spec: forKubernetes(specSchema),
                status: forKubernetes(statusSchema),
              },
            },
          },
        },
      ],
    },
  };
}

export function trafficRuleCrdYaml(): string {
  const header = '# Made by scripts/generate-crds.ts from src/rules/schema.ts; changes here are overwritten.\n';
  // kubectl reads YAML 1.1, where `on` and the like are booleans unless they are quoted.
  return header + stringify(trafficRuleCrd(), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

function forKubernetes(schema: Schema): object {
  const { 'x-fairway': complaint, pattern, 'x-kubernetes-validations': own = [], properties, items, ...rest } = schema;
  const words = complaint?.keepsPattern === true ? undefined : complaint?.says;
  const rules: CelRule[] = [];
  if (pattern !== undefined && words !== undefined)
    rules.push({ rule: `self.matches(${celString(pattern)})`, message: words });
  rules.push(...own);
  return {
    ...rest,
    ...(pattern !== undefined && words === undefined ? { pattern } : {}),
    ...(items === undefined ? {} : { items: forKubernetes(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, forKubernetes(property)]),
          ),
        }),
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}

/** A CEL raw string, in which a backslash stands for itself. */
function celString(text: string): string {
  if (!text.includes("'")) return `r'${text}'`;
  return `r"${text}"`;
}
