/** What the CRDs say of filters in CEL: each says what its type says, most stand there once, and redirect and rewrite exclude each other. */

import { formatPath, type Path } from '../rules/objects/findings.ts';
import type { Sound } from '../rules/objects/structure.ts';
import { checkBackend, checkDistinct, type RouteFindings } from './parse-references.ts';
import type { RawHttpFilter } from './schema-routes.ts';

type Filter = Sound<RawHttpFilter>;
type Field = Exclude<keyof RawHttpFilter, 'type'>;

/** By type: the field that says more, and whether the filter may stand there once only. */
const filterTypes: ReadonlyMap<string, { readonly field: Field; readonly once: boolean }> = new Map([
  ['RequestHeaderModifier', { field: 'requestHeaderModifier', once: true }],
  ['ResponseHeaderModifier', { field: 'responseHeaderModifier', once: true }],
  ['RequestMirror', { field: 'requestMirror', once: false }],
  ['RequestRedirect', { field: 'requestRedirect', once: true }],
  ['URLRewrite', { field: 'urlRewrite', once: true }],
  ['CORS', { field: 'cors', once: true }],
  ['ExtensionRef', { field: 'extensionRef', once: false }],
  ['ExternalAuth', { field: 'externalAuth', once: true }],
]);

/** GRPCRoutes have fewer types; their filters have the same shape. */
export function checkFilters(
  filters: readonly (Filter | undefined)[] | undefined,
  path: Path,
  findings: RouteFindings,
): void {
  if (filters === undefined) return;
  const seen = new Set<string>();
  for (const [i, filter] of filters.entries()) {
    if (filter?.type === undefined) continue;
    const at = [...path, i];
    const known = filterTypes.get(filter.type);
    if (known?.once === true && seen.has(filter.type))
      findings.error('FW-GWAPI-004', at, `${filter.type} stands there twice`, 'Make one filter of the two');
    seen.add(filter.type);
    checkFields(filter, filter.type, known?.field, at, findings);
    checkBody(filter, at, findings);
  }
  if (seen.has('RequestRedirect') && seen.has('URLRewrite')) {
    const message = `${formatPath(path)} has both RequestRedirect and URLRewrite`;
    findings.error('FW-GWAPI-004', path, message, 'Remove one of them');
  }
}

function checkFields(
  filter: Filter,
  type: string,
  field: Field | undefined,
  path: Path,
  findings: RouteFindings,
): void {
  if (field !== undefined && filter[field] === undefined)
    findings.error('FW-GWAPI-004', [...path, field], `the filter ${type} lacks ${field}`, `Add ${field}`, path);
  for (const { field: other } of filterTypes.values()) {
    if (other !== field && filter[other] !== undefined)
      findings.error(
        'FW-GWAPI-004',
        [...path, other],
        `the filter ${type} has no ${other}`,
        'Remove it, or correct type',
      );
  }
}

function checkBody(filter: Filter, path: Path, findings: RouteFindings): void {
  const { requestHeaderModifier, responseHeaderModifier, requestMirror, requestRedirect, urlRewrite, cors } = filter;
  for (const [field, change] of Object.entries({ requestHeaderModifier, responseHeaderModifier })) {
    for (const list of ['set', 'add'] as const)
      checkDistinct(
        change?.[list]?.map((header) => header?.name),
        [...path, field, list],
        findings,
      );
  }
  checkBackend(requestMirror?.backendRef, [...path, 'requestMirror', 'backendRef'], findings);
  checkShare(requestMirror, [...path, 'requestMirror'], findings);
  checkPathModifier(requestRedirect?.path, [...path, 'requestRedirect', 'path'], findings);
  checkPathModifier(urlRewrite?.path, [...path, 'urlRewrite', 'path'], findings);
  for (const field of ['allowOrigins', 'allowMethods', 'allowHeaders'] as const) {
    const list: readonly (string | undefined)[] = cors?.[field] ?? [];
    if (list.length > 1 && list.includes('*'))
      findings.error('FW-GWAPI-015', [...path, 'cors', field], `${field} has "*" beside others`, 'Give "*" alone');
  }
}

function checkShare(mirror: Filter['requestMirror'], path: Path, findings: RouteFindings): void {
  const { percent, fraction } = mirror ?? {};
  if (percent !== undefined && fraction !== undefined)
    findings.error('FW-GWAPI-014', path, 'requestMirror has both percent and fraction', 'Remove one of them');
  const { numerator = 0, denominator = 100 } = fraction ?? {};
  if (numerator > denominator) {
    const message = `numerator ${numerator} is larger than the denominator ${denominator}`;
    findings.error('FW-GWAPI-014', [...path, 'fraction', 'numerator'], message, 'Give at most the denominator');
  }
}

function checkPathModifier(
  change: NonNullable<Filter['urlRewrite']>['path'],
  path: Path,
  findings: RouteFindings,
): void {
  if (change?.type === undefined) return;
  const wanted = change.type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch';
  const other = change.type === 'ReplaceFullPath' ? 'replacePrefixMatch' : 'replaceFullPath';
  if (change[wanted] === undefined)
    findings.error('FW-GWAPI-004', [...path, wanted], `${change.type} lacks ${wanted}`, `Add ${wanted}`, path);
  if (change[other] !== undefined)
    findings.error('FW-GWAPI-004', [...path, other], `${change.type} has no ${other}`, 'Remove it, or correct type');
}
