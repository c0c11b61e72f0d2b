/** What a pilot would do with files, for `translate`, `diff --clusters` and `analyze --clusters`. It brings the whole pilot, and is loaded for these alone. */

export { openOffline } from '../pilot/preview/offline.ts';
export { everyProxy, proxyNode } from '../pilot/preview/proxy-node.ts';
