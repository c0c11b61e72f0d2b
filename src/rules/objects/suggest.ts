/**
 * "Did you mean …": the nearest known word, by edit distance or because another API calls the same thing so.
 */

/** What Gateway API and Istio call our fields. */
const otherNames: ReadonlyMap<string, readonly string[]> = new Map([
  ['backendRefs', ['backends']],
  ['baseEjectionTime', ['baseEjection']],
  ['circuitBreaker', ['connections']],
  ['clusters', ['cluster']],
  ['codes', ['on']],
  ['connectionPool', ['connections']],
  ['consecutive5xxErrors', ['consecutiveErrors']],
  ['consistentHash', ['affinity']],
  ['destination', ['backends']],
  ['destinations', ['backends']],
  ['exact', ['exact', 'value']],
  ['failover', ['fallback']],
  ['filters', ['requestHeaders']],
  ['headers', ['headers', 'requestHeaders']],
  ['host', ['service']],
  ['hosts', ['service']],
  ['http', ['routes']],
  ['http1MaxPendingRequests', ['maxPending']],
  ['http2MaxRequests', ['maxRequests']],
  ['httpCookie', ['cookie']],
  ['httpHeaderName', ['header']],
  ['httpQueryParameterName', ['queryParam']],
  ['loadBalancer', ['loadBalancing']],
  ['match', ['matches']],
  ['maxConnections', ['max']],
  ['maxEjectionPercent', ['maxEjectedPercent']],
  ['maxPendingRequests', ['maxPending']],
  ['parentRefs', ['service']],
  ['perTryTimeout', ['backendRequest']],
  ['query', ['queryParams']],
  ['queryParameters', ['queryParams']],
  ['retries', ['retry']],
  ['retryOn', ['on']],
  ['route', ['backends', 'routes']],
  ['rules', ['routes']],
  ['sessionPersistence', ['affinity']],
  ['simple', ['policy']],
  ['subset', ['version']],
  ['targetRef', ['service']],
  ['tcpKeepalive', ['keepalive']],
  ['timeout', ['timeouts', 'request']],
  ['uri', ['path']],
  ['useSourceIp', ['sourceIP']],
  ['warmup', ['slowStart']],
]);

/** The known word that was most likely meant, if any is near enough. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const other = otherNames.get(word)?.find((name) => known.includes(name));
  if (other !== undefined) return other;
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of known) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
