/**
 * What is said of a route at each of its parents: conditions in the standard's words, and findings with their place in the object. Pure: out of
 * what was compiled. https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus
 */

import type { Finding } from '../core/errors.ts';
import type { RawObject } from '../model/object.ts';
import { formatPath, type Path } from '../rules/objects/findings.ts';
import type { Verdict } from '../rules/status/object-status.ts';
import { audienceOf } from './attach.ts';
import type { GatewayCode } from './codes.ts';
import type { Outcome } from './compile.ts';
import type { RefProblem } from './references.ts';
import { type GatewayRoute, type RouteRule, routeId } from './route.ts';

/** Something else than a route of this API routes the service, for people: `TrafficRule shop/reviews`. */
export interface Overruling {
  readonly by: string;
}

export type Verdicts = readonly (readonly [type: string, verdict: Verdict])[];

/** `besideTunnels`: some proxies go by none of it, for they do not look into tunnels. */
export function parentVerdicts(outcome: Outcome, overruling: Overruling | undefined, besideTunnels = false): Verdicts {
  const said = acceptedVerdict(outcome, overruling);
  const isLeftOut = besideTunnels && said.status === 'True' && outcome.ports.length > 0;
  const accepted = isLeftOut ? { ...said, message: `${said.message}; ${tunnelWords}` } : said;
  const partial = accepted.status === 'True' ? partlyInvalid(outcome.route) : undefined;
  return [
    ['Accepted', accepted],
    ['ResolvedRefs', resolvedVerdict(outcome.problems)],
    ...(partial === undefined ? [] : [['PartiallyInvalid', partial] as const]),
  ];
}

const tunnelWords = 'proxies in explicit mode do not look into tunnels (CONNECT), and go by none of it';

function acceptedVerdict({ route, refusal, note, ...rest }: Outcome, overruling: Overruling | undefined): Verdict {
  if (refusal !== undefined) return { status: 'False', ...refusal };
  if (overruling !== undefined) return { status: 'False', reason: 'Conflicted', message: overruledWords(overruling) };
  const invalid = route.rules.filter(isUnsupported);
  if (invalid.length > 0 && invalid.length === route.rules.length) {
    const message = `${wordsOf(invalid)}; its requests are answered with an error`;
    return { status: 'False', reason: 'UnsupportedValue', message };
  }
  if (rest.ports.length === 0 && note !== undefined)
    return { status: 'True', reason: 'Accepted', message: `the route is valid, and nothing goes by it: ${note}` };
  const audience = audienceOf({ route, ...rest });
  const forWhom = audience === '' ? '' : ` for proxies in ${audience}, in the place of the service's own routes`;
  const message = `the route is in force${forWhom}${note === undefined ? '' : `; ${note}`}`;
  return { status: 'True', reason: 'Accepted', message };
}

function overruledWords({ by }: Overruling): string {
  return `${by} routes the service, and goes before routes of the Gateway API`;
}

function isUnsupported({ unsupported }: RouteRule): boolean {
  return unsupported.length > 0;
}

function wordsOf(rules: readonly RouteRule[]): string {
  return rules
    .flatMap(({ unsupported }) => unsupported.map(({ path, message }) => `${formatPath(path)}: ${message}`))
    .join('; ');
}

/** The standard wants the message to begin so. */
function partlyInvalid({ rules }: GatewayRoute): Verdict | undefined {
  const invalid = rules.filter(isUnsupported);
  if (invalid.length === 0) return undefined;
  const which = `${invalid.length === 1 ? 'Dropped Rule' : 'Dropped Rules'} ${invalid.map(({ name }) => name).join(', ')}`;
  const message = `${which}, whose requests are answered with an error: ${wordsOf(invalid)}`;
  return { status: 'True', reason: 'UnsupportedValue', message };
}

function resolvedVerdict(problems: readonly RefProblem[]): Verdict {
  const [first] = problems;
  if (first === undefined) return { status: 'True', reason: 'ResolvedRefs', message: 'all backends are there' };
  const message = problems.map((each) => `${formatPath(each.path)}: ${each.message}`).join('; ');
  return { status: 'False', reason: first.reason, message };
}

/** What is wrong besides the object's own findings. */
export function routeFindings(
  route: GatewayRoute,
  outcomes: readonly Outcome[],
  overruling: (outcome: Outcome) => Overruling | undefined,
  raw: RawObject,
): readonly Finding[] {
  const object = routeId(route);
  const found = new Map<string, Finding>();
  const add = (code: GatewayCode, severity: Finding['severity'], path: Path, message: string, hint: string): void => {
    const where = { ...raw.where(path), object, field: formatPath(path) };
    found.set(`${code} ${where.field} ${message}`, { code, severity, message, where, hint });
  };
  for (const { path, message } of route.rules.flatMap(({ unsupported }) => unsupported))
    add(
      'FW-GWAPI-022',
      'error',
      path,
      message,
      'Remove it; requests that the rule would take are answered with an error',
    );
  for (const outcome of outcomes) {
    const path = ['spec', 'parentRefs', outcome.index];
    const by = overruling(outcome);
    if (outcome.refusal?.reason === 'Conflicted')
      add('FW-GWAPI-024', 'warning', path, outcome.refusal.message, 'Keep one kind of route for each port');
    else if (outcome.refusal !== undefined)
      add('FW-GWAPI-023', 'warning', path, outcome.refusal.message, 'Correct the reference, or the Service');
    else if (by !== undefined) add('FW-GWAPI-024', 'warning', path, overruledWords(by), 'Keep one of the two');
    else if (outcome.note !== undefined)
      add('FW-GWAPI-024', 'warning', path, outcome.note, 'Name the ports that the route is for');
    for (const problem of outcome.problems)
      add('FW-GWAPI-025', 'error', problem.path, problem.message, hintFor(problem));
  }
  return [...found.values()];
}

function hintFor({ reason }: RefProblem): string {
  if (reason === 'RefNotPermitted') return "Add a ReferenceGrant in the Service's namespace, or a route there";
  if (reason === 'InvalidKind') return 'Name a Service with a selector';
  if (reason === 'UnsupportedProtocol') return 'Name a port that speaks what the route carries';
  return 'Create the Service, or correct its name, namespace or port';
}
