#!/bin/sh
# A pod's sidecar: the bootstrap that `fairway bootstrap` prints for this pod, and Envoy with it. Who the pod is comes by its environment
# (test/rig/cluster/injection.ts). LABELS is a list of KEY=VALUE words.
set -eu

for label in $LABELS; do set -- "$@" --label "$label"; done
"$NODE" --disable-proto=delete /fairway/src/cli/main.ts bootstrap --mode captured \
  --cluster "$CLUSTER" --namespace "$POD_NAMESPACE" --workload "$POD_NAME" --service-account "$SERVICE_ACCOUNT" \
  --locality "$LOCALITY_REGION/$LOCALITY_ZONE" --xds "$PILOT" $(echo "$POD_IPS" | tr ',' '\n' | sed 's/^/--address /') --output json "$@" >/tmp/envoy.json

exec envoy -c /tmp/envoy.json --concurrency 1 --use-dynamic-base-id --disable-hot-restart \
  --log-level warning --drain-time-s 2 --drain-strategy immediate
