/** `fairway describe pod` for people. */

import type { PodDescription, PodProxy, PodWorkload } from '../../model/inspection.ts';
import { ageOf } from '../duration.ts';
import { Page } from '../page.ts';
import type { Terminal } from '../terminal.ts';
import { formatLocality, joinNames, orDash } from './view.ts';

export function printPod(
  { namespace, name, workloads, proxies }: PodDescription,
  nowMs: number,
  terminal: Terminal,
): void {
  const page = new Page(terminal);
  page.heading(`Pod ${namespace}/${name}`);
  if (workloads.length === 0) page.line('no cluster has it behind a service: nobody is sent to it');
  for (const workload of workloads) printWorkload(workload, workloads.length > 1, page);
  if (proxies.length === 0) {
    page.heading('Proxy');
    page.line('no proxy of this pod is connected to this pilot: its requests do not go by rules');
  }
  for (const proxy of proxies) printProxy(proxy, nowMs, page);
}

function printWorkload(workload: PodWorkload, isOneOfSeveral: boolean, page: Page): void {
  const { cluster, addresses, node, version, serviceAccount, locality, services } = workload;
  if (isOneOfSeveral) page.heading(`In cluster ${cluster}`);
  page.fields([
    ['cluster', cluster],
    ['addresses', joinNames(addresses)],
    ['state', stateText(workload)],
    ['version', orDash(version)],
    ['locality', formatLocality(locality)],
    ['node', orDash(node)],
    ['account', orDash(serviceAccount)],
  ]);
  page.heading('Stands behind');
  page.table({
    columns: [
      { title: 'SERVICE', cell: (row) => `${row.namespace}/${row.name}`, shrinkTo: 12 },
      {
        title: 'PORTS',
        cell: ({ ports }) =>
          joinNames(ports.map(({ port, targetPort, protocol }) => `${port}→${targetPort}/${protocol}`)),
        shrinkTo: 14,
      },
      { title: 'RULE', cell: ({ rule }) => rule ?? '-', shrinkTo: 12 },
    ],
    rows: services,
  });
}

function stateText({ ready, serving, terminating }: PodWorkload): string {
  if (ready) return 'ready';
  if (terminating) return serving ? 'draining' : 'terminating';
  return 'not ready';
}

function printProxy(proxy: PodProxy, nowMs: number, page: Page): void {
  const { identity, connectedSince, transport, config, interception, inbound, types } = proxy;
  page.heading(`Proxy in cluster ${orDash(identity.cluster)}`);
  page.fields([
    ['node', identity.nodeId],
    ['connected', `${ageOf(connectedSince, nowMs)}, over ${transport}`],
    ['mode', `${config}, ${interception}`],
    ['Envoy', orDash(identity.envoyVersion)],
    ['inbound', inbound.length === 0 ? 'no ports' : inboundText(inbound)],
  ]);
  page.heading('It holds');
  page.table({
    columns: [
      { title: 'TYPE', cell: ([type]) => type },
      {
        title: 'STATE',
        cell: ([, { state }]) => (state === 'rejected' ? 'REJECTED' : state),
        paint: (text, [, { state }]) =>
          page.paint(state === 'synced' ? 'green' : state === 'rejected' ? 'red' : 'yellow', text),
      },
      { title: 'SINCE', cell: ([, { since }]) => ageOf(since, nowMs) },
      { title: 'RESOURCES', cell: ([, { resources }]) => String(resources) },
    ],
    rows: Object.entries(types).filter(([, { state }]) => state !== 'unsubscribed'),
    notes: ([, { error }]) => (error === '' ? [] : [error]),
  });
  if (proxy.setAside.length > 0) {
    page.heading('Rules that it rejected, and of which it has an earlier form');
    for (const { rule, since, error } of proxy.setAside) {
      page.line(`${rule}${since === undefined ? '' : `, ${ageOf(since, nowMs)} ago`}: ${error}`, '  × ');
    }
  }
  if (proxy.sourceRules.length > 0) {
    page.heading('Rules with routes for its requests in particular');
    for (const { rule, service, routes } of proxy.sourceRules) {
      page.line(`${rule} for ${service}: ${routes.join(', ')}`);
    }
    if (proxy.sourceRulesOmitted > 0) page.line(`and ${proxy.sourceRulesOmitted} more`);
  }
  if (proxy.findings.length === 0) return;
  page.heading('What it does not get');
  for (const finding of proxy.findings) page.finding(finding);
}

function inboundText(inbound: PodProxy['inbound']): string {
  return inbound
    .map(({ port, targetPort, protocol }) => `${port}${targetPort === port ? '' : `→${targetPort}`}/${protocol}`)
    .join(', ');
}
