/** The demo's side of the admin API: apply, delete, and whether a rule has reached every proxy. */

import type { ProxyReport, RuleReport, WriteReport } from '../model/report.ts';

export interface AdminClient {
  apply(yaml: string): Promise<void>;
  deleteRule(namespace: string, name: string): Promise<void>;
  rules(): Promise<readonly RuleReport[]>;
  proxies(): Promise<readonly ProxyReport[]>;
}

/** `address`: `127.0.0.1:15014`. */
export function adminClient(address: string): AdminClient {
  const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`http://${address}${path}`, init);
    if (!response.ok && response.status !== 404)
      throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const list = async (path: string): Promise<unknown> => {
    const answer = await call(path);
    return Array.isArray(answer) ? answer : ((answer as { items?: unknown }).items ?? []);
  };
  return {
    async apply(yaml) {
      const report = (await call('/api/v1/apply', {
        method: 'POST',
        body: yaml,
        headers: { 'content-type': 'application/yaml' },
      })) as WriteReport;
      const findings = report.results
        .flatMap((result) => result.findings)
        .filter(({ severity }) => severity === 'error');
      if (findings.length > 0) throw new Error(findings.map(({ code, message }) => `${code} ${message}`).join('; '));
    },
    async deleteRule(namespace, name) {
      await call(`/api/v1/rules/${namespace}/${name}`, { method: 'DELETE' });
    },
    rules: async () => (await list('/api/v1/rules')) as RuleReport[],
    proxies: async () => (await list('/api/v1/proxies')) as ProxyReport[],
  };
}
