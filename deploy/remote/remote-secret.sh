#!/bin/sh
# Prints the Secret that registers a cluster with a pilot elsewhere: `istioctl create-remote-secret`'s form, made with kubectl alone.
#
#   deploy/remote/remote-secret.sh CLUSTER-NAME CONTEXT [SERVER] | kubectl --context PRIMARY apply -f -
#
# CONTEXT is where deploy/remote/reader.yaml was applied. SERVER is the API's address as the pilot reaches it, when that differs from the
# one in your kubeconfig. The output holds a credential: pipe it, do not keep it.
set -eu

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
  echo "usage: remote-secret.sh CLUSTER-NAME CONTEXT [SERVER]" >&2
  exit 2
fi
name=$1
context=$2

case "$name" in
  '' | *[!A-Za-z0-9_-]*) echo "remote-secret.sh: a cluster's name holds letters, digits, - and _" >&2; exit 2 ;;
esac

field() {
  kubectl --context "$context" -n fairway-system get secret fairway-reader-token -o "jsonpath={.data.$1}"
}

server=${3:-$(kubectl config view --minify --context "$context" -o 'jsonpath={.clusters[0].cluster.server}')}
token=$(field token | base64 -d)
authority=$(field 'ca\.crt')
if [ -z "$server" ] || [ -z "$token" ] || [ -z "$authority" ]; then
  echo "remote-secret.sh: context $context has no filled Secret fairway-system/fairway-reader-token: apply deploy/remote/reader.yaml there" >&2
  exit 1
fi

cat <<SECRET
apiVersion: v1
kind: Secret
metadata:
  name: fairway-cluster-$(printf %s "$name" | tr 'A-Z_' 'a-z-')
  namespace: fairway-system
  labels:
    fairway.dev/cluster: "true"
stringData:
  $name: |
    apiVersion: v1
    kind: Config
    current-context: $name
    clusters:
    - name: $name
      cluster: {server: "$server", certificate-authority-data: $authority}
    users:
    - name: $name
      user: {token: $token}
    contexts:
    - name: $name
      context: {cluster: $name, user: $name}
SECRET
