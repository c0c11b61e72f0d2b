/**
 * `cluster.yaml`: who and where the cluster is that a folder stands for.
 *
 *     name: east            # the folder's name if left out
 *     network: net-1        # '' (the default network) if left out
 *     region: eu
 *     zone: eu-a
 *     subzone: rack-7
 *
 * What always holds: a file with anything else in it gives findings with their places, and no settings.
 */

import type { Finding } from '../../core/errors.ts';
import { defaultYamlLimits, readYaml } from '../../manifest/yaml-documents.ts';
import { clusterNamePattern, type Locality } from '../../model/cluster.ts';
import { mapping } from './file-objects.ts';

export interface ClusterSettings {
  readonly name: string;
  readonly network: string;
  readonly locality: Locality;
}

const limits = { ...defaultYamlLimits, maxChars: 64 * 1024 };

const fields = ['name', 'network', 'region', 'zone', 'subzone'] as const;

/** Kubernetes' limit of label values, which the last three are elsewhere. */
const valuePattern = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;

export function defaultClusterSettings(folder: string): ClusterSettings {
  return { name: folder, network: '', locality: { region: '', zone: '', subzone: '' } };
}

/** `file` is what people are shown; `folder` is the name of the folder that it is in. */
export function readClusterSettings(text: string, file: string, folder: string): ClusterSettings | readonly Finding[] {
  const { objects, findings: syntax, broken } = readYaml(text, file, { limits });
  if (broken) return syntax;
  const [raw, second] = objects;
  if (raw === undefined) return defaultClusterSettings(folder);
  const settings = mapping(raw.object);
  const findings: Finding[] = [];
  const bad = (path: readonly string[], message: string, hint: string): void => {
    findings.push({ code: 'FW-FILE-010', severity: 'error', message, where: raw.where(path), hint });
  };
  if (settings === undefined || second !== undefined) {
    bad([], 'cluster.yaml must hold one mapping', `Write ${fields.join(', ')}, each on a line of its own.`);
    return findings;
  }
  for (const [key, value] of Object.entries(settings)) {
    if (!(fields as readonly string[]).includes(key)) {
      findings.push({
        code: 'FW-FILE-009',
        severity: 'error',
        message: `the field ${key} is not known`,
        where: raw.where([key], 'key'),
        hint: `Remove it; the fields are ${fields.join(', ')}.`,
      });
    } else if (typeof value !== 'string') {
      bad([key], `${key} must be a string`, `Put the value of ${key} in quotes.`);
    } else if (key === 'name' && !clusterNamePattern.test(value)) {
      bad(
        [key],
        "this cannot be a cluster's name",
        'Use letters, digits, - and _, at most 63, with a letter or digit at both ends.',
      );
    } else if (!valuePattern.test(value)) {
      bad(
        [key],
        `this cannot be a ${key}`,
        'Use letters, digits, ., - and _, at most 63, with a letter or digit at both ends.',
      );
    }
  }
  if (findings.length > 0) return findings;
  const value = (key: (typeof fields)[number], otherwise: string): string =>
    (settings[key] as string | undefined) ?? otherwise;
  return {
    name: value('name', folder),
    network: value('network', ''),
    locality: { region: value('region', ''), zone: value('zone', ''), subzone: value('subzone', '') },
  };
}
