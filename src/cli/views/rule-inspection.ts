/** `fairway inspect rule` for people: counts first, then those proxies that are not as they should be, then the others. */

import type { RuleHolding, RuleInspection } from '../../model/inspection.ts';
import { ageOf } from '../duration.ts';
import { Page } from '../page.ts';
import type { Terminal } from '../terminal.ts';
import { conditionNotes } from './rules.ts';
import { orDash } from './view.ts';

const words = { rejected: 'REJECTED', 'in-doubt': 'in doubt', pending: 'pending', holds: 'holds' } as const;

export function printInspection(inspection: RuleInspection, nowMs: number, terminal: Terminal): void {
  const page = new Page(terminal);
  const { rule, inForce, counts, items } = inspection;
  const total = counts.holds + counts.pending + counts.rejected + counts['in-doubt'];
  page.heading(`TrafficRule ${rule.namespace}/${rule.name}`);
  page.fields([
    ['service', orDash(rule.service)],
    ['origin', rule.origin],
    ['in force', inForceText(inspection)],
    ['holds', `${counts.holds} of ${total}`],
    ...(counts.pending === 0 ? [] : [['pending', String(counts.pending)] as const]),
    ...(counts.rejected === 0 ? [] : [['rejected', String(counts.rejected)] as const]),
    ...(counts['in-doubt'] === 0 ? [] : [['in doubt', String(counts['in-doubt'])] as const]),
  ]);
  // What Programmed says is what the proxies below say.
  const conditions = rule.conditions.filter(({ type }) => type !== 'Programmed' || inForce === undefined);
  for (const note of conditionNotes({ conditions })) page.line(note, '  ‼ ');
  if (inForce === undefined) return;
  page.heading('Proxies');
  if (items.length === 0) return page.line(total === 0 ? 'none is connected to this pilot' : 'none in this cluster');
  page.table({
    columns: [
      { title: 'PROXY', cell: proxyName, shrinkTo: 16 },
      { title: 'CLUSTER', cell: ({ cluster }) => orDash(cluster), dropOrder: 1, shrinkTo: 7 },
      {
        title: 'STATE',
        cell: ({ state }) => words[state],
        paint: (text, { state }) =>
          page.paint(state === 'holds' ? 'green' : state === 'rejected' ? 'red' : 'yellow', text),
      },
      { title: 'SINCE', cell: ({ since }) => ageOf(since, nowMs) },
      { title: 'GENERATION', cell: ({ has }) => (has === undefined ? 'none' : String(has.generation)) },
    ],
    rows: items,
    notes: ({ error }) => (error === '' ? [] : [error]),
  });
  const omitted = total - items.length;
  if (inspection.continue !== undefined && omitted > 0) page.line(`and ${omitted} more; name them all with --all`);
}

function inForceText({ rule, inForce }: RuleInspection): string {
  if (inForce === undefined) return 'no';
  return inForce === rule.generation
    ? `generation ${inForce}`
    : `generation ${inForce}, for generation ${rule.generation} is not valid`;
}

function proxyName({ workload, namespace, nodeId }: RuleHolding): string {
  return workload === '' ? nodeId : `${workload}.${namespace}`;
}
