/**
 * The CustomResourceDefinition of a kind, made from its row in the table of kinds: the text of deploy/crds/<plural>.fairway.dev.yaml.
 *
 * A pattern that has words (`x-fairway`) becomes a CEL rule, since the API server would otherwise show people the expression.
 */

import { stringify } from 'yaml';
import type { ObjectKind } from './kind-types.ts';
import type { CelRule, Schema } from './schema-types.ts';

/** `fairway.dev` and `v1alpha1`. */
function groupOf({ apiVersion }: ObjectKind): readonly [group: string, version: string] {
  const [group = '', version = ''] = apiVersion.split('/');
  return [group, version];
}

export function crdFile(kind: ObjectKind): string {
  return `deploy/crds/${kind.plural}.${groupOf(kind)[0]}.yaml`;
}

export function crdOf(kind: ObjectKind): object {
  const [group, version] = groupOf(kind);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${group}`, labels: { 'app.kubernetes.io/part-of': 'fairway' } },
    spec: {
      group,
      scope: kind.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.kind.toLowerCase(),
        shortNames: kind.shortNames,
        categories: ['fairway'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: kind.description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: 'The version of this form of the object.' },
                kind: { type: 'string', description: 'The kind of the object.' },
                metadata: { type: 'object' },
                spec: forKubernetes(kind.spec),
                status: forKubernetes(kind.status),
              },
            },
          },
        },
      ],
    },
  };
}

export function crdYaml(kind: ObjectKind): string {
  const header = `# Made by scripts/generate-crds.ts from ${kind.schemaFile}; changes here are overwritten.\n`;
  // kubectl reads YAML 1.1, where `on` and the like are booleans unless they are quoted.
  return header + stringify(crdOf(kind), { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

function forKubernetes(schema: Schema): object {
  const {
    'x-fairway': complaint,
    pattern,
    'x-kubernetes-validations': own = [],
    properties,
    additionalProperties,
    items,
    ...rest
  } = schema;
  const words = complaint?.keepsPattern === true ? undefined : complaint?.says;
  const rules: CelRule[] = [];
  if (pattern !== undefined && words !== undefined)
    rules.push({ rule: `self.matches(${celString(pattern)})`, message: words });
  rules.push(...own);
  return {
    ...rest,
    ...(pattern !== undefined && words === undefined ? { pattern } : {}),
    ...(items === undefined ? {} : { items: forKubernetes(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: forKubernetes(additionalProperties) }),
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
