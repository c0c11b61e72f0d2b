/**
 * envoy.config.core.v3.Node, decoded by protobufjs, to the plain node that hosts read. Metadata (google.protobuf.Struct) becomes JSON data
 * without prototypes, so that a key such as `__proto__` is only a key; depth and size are bounded, and what lies beyond is left out.
 */

import type { XdsNode } from './view.ts';

/** protobufjs brings its own google/protobuf/struct.proto, whose fields are in camel case. */
/** One of the members of google.protobuf.Value; protobufjs names its own copy of that file in camelCase, others in snake_case. */
type RawValue = Readonly<Record<string, unknown>>;
interface RawStruct {
  fields?: Record<string, RawValue>;
}
interface RawNode {
  id: string;
  cluster: string;
  metadata?: RawStruct | null;
  locality?: { region: string; zone: string; sub_zone: string } | null;
  user_agent_name: string;
  user_agent_version?: string;
  user_agent_build_version?: {
    version?: { major_number: number; minor_number: number; patch: number } | null;
  } | null;
  client_features?: string[];
}

const maxTextLength = 4096;
const maxDepth = 8;
const maxValues = 10_000;
const maxFeatures = 256;

export function decodeNode(decoded: unknown): XdsNode {
  const raw = decoded as RawNode;
  const budget = { left: maxValues };
  return {
    id: clip(raw.id),
    cluster: clip(raw.cluster),
    metadata: plainStruct(raw.metadata ?? {}, 0, budget),
    locality: {
      region: clip(raw.locality?.region),
      zone: clip(raw.locality?.zone),
      subZone: clip(raw.locality?.sub_zone),
    },
    userAgentName: clip(raw.user_agent_name),
    userAgentVersion: userAgentVersion(raw),
    clientFeatures: (raw.client_features ?? []).slice(0, maxFeatures).map(clip),
  };
}

function userAgentVersion(raw: RawNode): string {
  const version = raw.user_agent_build_version?.version;
  if (version === undefined || version === null) return clip(raw.user_agent_version);
  return `${version.major_number}.${version.minor_number}.${version.patch}`;
}

function plainStruct(struct: RawStruct, depth: number, budget: { left: number }): Record<string, unknown> {
  const plain: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (depth >= maxDepth) return plain;
  for (const [key, value] of Object.entries(struct.fields ?? {})) {
    if (budget.left-- <= 0) break;
    plain[clip(key)] = plainValue(value, depth, budget);
  }
  return plain;
}

function plainValue(value: RawValue, depth: number, budget: { left: number }): unknown {
  for (const [member, content] of Object.entries(value)) {
    switch (member) {
      case 'string_value':
      case 'stringValue':
      case 'number_value':
      case 'numberValue':
      case 'bool_value':
      case 'boolValue':
        return content;
      case 'struct_value':
      case 'structValue':
        return plainStruct(content ?? {}, depth + 1, budget);
      case 'list_value':
      case 'listValue':
        return plainList(content ?? {}, depth + 1, budget);
      default:
    }
  }
  return null;
}

function plainList(list: { values?: RawValue[] }, depth: number, budget: { left: number }): unknown[] {
  const plain: unknown[] = [];
  if (depth >= maxDepth) return plain;
  for (const item of list.values ?? []) {
    if (budget.left-- <= 0) break;
    plain.push(plainValue(item, depth, budget));
  }
  return plain;
}

function clip(text: string | undefined): string {
  return (text ?? '').slice(0, maxTextLength);
}
