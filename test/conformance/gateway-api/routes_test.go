package conformance_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"testing"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/sets"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/kubernetes"
	"sigs.k8s.io/gateway-api/conformance/utils/roundtripper"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
	"sigs.k8s.io/gateway-api/pkg/features"
	"sigs.k8s.io/yaml"
)

// What the tests of Gateways' routes may ask for, with a Service in the Gateway's place.
var routeFeatures = sets.New(
	features.SupportGateway,
	features.SupportReferenceGrant,
	features.SupportHTTPRoute,
	features.SupportHTTPRoute303RedirectStatusCode,
	features.SupportHTTPRoute307RedirectStatusCode,
	features.SupportHTTPRoute308RedirectStatusCode,
	features.SupportHTTPRouteBackendProtocolH2C,
	features.SupportHTTPRouteBackendProtocolWebSocket,
	features.SupportHTTPRouteBackendRequestHeaderModification,
	features.SupportHTTPRouteBackendTimeout,
	features.SupportHTTPRouteCORS,
	features.SupportHTTPRouteDestinationPortMatching,
	features.SupportHTTPRouteHostRewrite,
	features.SupportHTTPRouteMethodMatching,
	features.SupportHTTPRouteNamedRouteRule,
	features.SupportHTTPRouteParentRefPort,
	features.SupportHTTPRoutePathRedirect,
	features.SupportHTTPRoutePathRewrite,
	features.SupportHTTPRoutePortRedirect,
	features.SupportHTTPRouteQueryParamMatching,
	features.SupportHTTPRouteRequestMirror,
	features.SupportHTTPRouteRequestMultipleMirrors,
	features.SupportHTTPRouteRequestPercentageMirror,
	features.SupportHTTPRouteRequestTimeout,
	features.SupportHTTPRouteResponseHeaderModification,
	features.SupportHTTPRouteRetry,
	features.SupportHTTPRouteSchemeRedirect,
	features.SupportGRPCRoute,
	features.SupportGRPCRouteNamedRouteRule,
	features.SupportTCPRoute,
	features.SupportTLSRoute,
)

var routeKinds = sets.New(features.SupportHTTPRoute, features.SupportGRPCRoute, features.SupportTCPRoute, features.SupportTLSRoute)

const (
	listensOtherwise = "is about a Gateway's listeners, which Services do not have"
	asksForHosts     = "is about hostnames, which say nothing at a Service: its own names count"
)

// What has no meaning at a Service, and why.
var ofGatewaysAlone = map[string]string{
	"GatewayWithAttachedRoutes":                 "is about a Gateway's own status",
	"GRPCRouteListenerHostnameMatching":         listensOtherwise,
	"HTTPRouteCrossNamespace":                   listensOtherwise,
	"HTTPRouteDisallowedKind":                   listensOtherwise,
	"HTTPRouteHTTPSListener":                    listensOtherwise,
	"HTTPRouteHostnameIntersection":             listensOtherwise,
	"HTTPRouteListenerHostnameMatching":         listensOtherwise,
	"HTTPRouteListenerPortMatching":             listensOtherwise,
	"HTTPRouteInvalidCrossNamespaceParentRef":   "is about a Gateway that takes no routes of other namespaces; at a Service these are its consumers' routes",
	"HTTPRouteMatchingAcrossRoutes":             asksForHosts,
	"TCPRouteInvalidNonTCPListener":             "is about what a Gateway's listener allows; a Service's port of another protocol is no matching parent",
	"TCPRouteMultipleRoutesAttachment":          "is about a Gateway's own status: how many routes its listener has",
	"TLSRouteHostnameIntersection":              listensOtherwise,
	"TLSRouteInvalidNoMatchingListener":         listensOtherwise,
	"TLSRouteInvalidNoMatchingListenerHostname": listensOtherwise,
	"TLSRouteListenerPassthroughSupportedKinds": listensOtherwise,
	"TLSRouteListenerTerminateNotSupported":     listensOtherwise,
}

// What of the suite's base is made; with one pod each. The rest is Gateways, and backends that no test here asks for.
var baseKept = sets.New(
	"gateway-conformance-infra", "gateway-conformance-app-backend", "gateway-conformance-web-backend",
	"infra-backend-v1", "infra-backend-v2", "infra-backend-v3", "app-backend-v1", "app-backend-v2", "web-backend",
	"grpc-infra-backend-v1", "grpc-infra-backend-v2", "grpc-infra-backend-v3", "tcp-backend",
)

// The Services that stand for Gateways of the base; those for Gateways of single tests are made with these.
const parentServices = `
apiVersion: v1
kind: Service
metadata: {namespace: gateway-conformance-infra, name: same-namespace}
spec: {ports: [{name: http, port: 80, appProtocol: http}]}
---
apiVersion: v1
kind: Service
metadata: {namespace: gateway-conformance-infra, name: all-namespaces}
spec: {ports: [{name: http, port: 80, appProtocol: http}]}
`

// The tests of Gateways' routes as they are, manifests, requests and expected answers, with Services as the routes' parents: what the mesh's own
// tests do not look at (TCP and TLS, statuses, grants, mirrors, timeouts, where redirects lead, what backends see). Must run in a pod behind a sidecar, since it
// sends its requests to Services.
func TestRoutesOfServices(t *testing.T) {
	options := conformance.DefaultOptions(t)
	options.SupportedFeatures = routeFeatures.UnsortedList()
	options.RestConfig.QPS, options.RestConfig.Burst = 200, 400
	options.Client = serviceParents{options.Client}
	options.RoundTripper = ownHost{&roundtripper.DefaultRoundTripper{TimeoutConfig: options.TimeoutConfig}}
	options.ManifestFS = []fs.FS{fstest.MapFS{"base.yaml": {Data: base(t)}}, &conformance.Manifests}
	conformanceSuite, err := suite.NewConformanceTestSuite(options)
	must(t, err)
	conformanceSuite.ControllerName = controllerName
	conformanceSuite.Applier.ManifestFS = conformanceSuite.ManifestFS
	conformanceSuite.Applier.MustApplyWithCleanup(t, options.Client, options.TimeoutConfig, "base.yaml", true)
	authority, certificate, key := kubernetes.MustCreateCACertConfigMap(t, suite.InfrastructureNamespace, "tls-checks-ca-certificate")
	secret := kubernetes.MustCreateCASignedCertSecret(t, suite.InfrastructureNamespace, "tls-passthrough-checks-certificate", []string{"abc.example.com"}, certificate, key)
	conformanceSuite.Applier.MustApplyObjectsWithCleanup(t, options.Client, options.TimeoutConfig, []client.Object{authority, secret}, true)
	namespaces := []string{suite.InfrastructureNamespace, suite.AppBackendNamespace, suite.WebBackendNamespace}
	kubernetes.MeshNamespacesMustBeReady(t, options.Client, options.TimeoutConfig, namespaces)

	for _, test := range tests.ConformanceTests {
		if !routeFeatures.HasAll(test.Features...) || !routeKinds.HasAny(test.Features...) {
			continue
		}
		t.Run(test.ShortName, func(t *testing.T) {
			if why, ok := ofGatewaysAlone[test.ShortName]; ok {
				t.Skip(why)
			}
			// One after the other: the routes of all tests have the same parent.
			test.Parallel = false
			test.Run(t, conformanceSuite)
		})
	}
}

// ownHost asks for a Service by its own address, whatever the hostnames of a test's routes.
type ownHost struct {
	roundtripper.RoundTripper
}

func (r ownHost) CaptureRoundTrip(request roundtripper.Request) (*roundtripper.CapturedRequest, *roundtripper.CapturedResponse, error) {
	request.Host = ""
	return r.RoundTripper.CaptureRoundTrip(request)
}

// base is what `baseKept` names of the suite's base manifests.
func base(t *testing.T) []byte {
	manifests, err := conformance.Manifests.ReadFile("base/manifests.yaml")
	must(t, err)
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests), 4096)
	kept := &bytes.Buffer{}
	for {
		object := unstructured.Unstructured{}
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			break
		} else {
			must(t, err)
		}
		if object.Object == nil || object.GetKind() == "Gateway" || !baseKept.Has(object.GetName()) {
			continue
		}
		if object.GetKind() == "Deployment" {
			must(t, unstructured.SetNestedField(object.Object, int64(1), "spec", "replicas"))
		}
		text, err := yaml.Marshal(object.Object)
		must(t, err)
		kept.Write(text)
		kept.WriteString("---\n")
	}
	kept.WriteString(parentServices)
	return kept.Bytes()
}
