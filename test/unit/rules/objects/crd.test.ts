import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownKinds } from '../../../../src/rules/kinds.ts';
import { crdFile, crdOf, crdYaml } from '../../../../src/rules/objects/crd.ts';
import type { ObjectKind } from '../../../../src/rules/objects/kind-types.ts';

type Node = { readonly [key: string]: unknown };

/** Every schema node, with its path. */
function* nodes(node: Node, path: string): Generator<readonly [string, Node]> {
  yield [path, node];
  const { properties, items } = node as { properties?: Readonly<Record<string, Node>>; items?: Node };
  for (const [name, property] of Object.entries(properties ?? {})) yield* nodes(property, `${path}.${name}`);
  if (items !== undefined) yield* nodes(items, `${path}[]`);
}

function root(kind: ObjectKind): Node {
  const crd = crdOf(kind) as { spec: { versions: { schema: { openAPIV3Schema: Node } }[] } };
  const schema = crd.spec.versions[0]?.schema.openAPIV3Schema;
  assert.ok(schema);
  return schema;
}

for (const kind of ownKinds.rows)
  describe(`the CRD of ${kind.kind}`, () => {
    it('lies in the repository as it is generated', () => {
      assert.equal(readFileSync(join(import.meta.dirname, '../../../..', crdFile(kind)), 'utf8'), crdYaml(kind));
    });

    it('bounds every list and text, and describes every field', () => {
      for (const [path, node] of nodes(root(kind), '')) {
        if (/^\.(apiVersion|kind|metadata)$/.test(path)) continue;
        assert.ok(node['description'], `${path} has a description`);
        if (node['type'] === 'array') assert.ok(node['maxItems'], `${path} has maxItems`);
        const isBounded =
          node['maxLength'] !== undefined || node['enum'] !== undefined || node['format'] === 'date-time';
        if (node['type'] === 'string') assert.ok(isBounded, `${path} has maxLength`);
        assert.ok(!('x-fairway' in node), `${path} has nothing that Kubernetes does not know`);
      }
    });
  });
