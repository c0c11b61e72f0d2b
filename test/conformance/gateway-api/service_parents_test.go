package conformance_test

import (
	"context"
	"net/netip"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const controllerName = "fairway.dev/gateway-controller"

// serviceParents shows the suite each Service as a Gateway of that name. In: what tests of Gateways ask of the API. Out: routes whose parents are
// Services there and Gateways here; Gateways that are made up, with a Service's cluster IP as their address, on whose ports they listen.
//
// What always holds: nothing else is another, least of all the conditions that Fairway wrote.
type serviceParents struct {
	client.Client
}

func (c serviceParents) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	if service := serviceFor(object); service != nil {
		return c.Client.Create(ctx, service)
	}
	defer showGateways(object)
	toServices(object)
	return c.Client.Create(ctx, object, options...)
}

func (c serviceParents) Delete(ctx context.Context, object client.Object, options ...client.DeleteOption) error {
	if service := serviceFor(object); service != nil {
		return c.Client.Delete(ctx, service)
	}
	return c.Client.Delete(ctx, object, options...)
}

func (c serviceParents) Update(ctx context.Context, object client.Object, options ...client.UpdateOption) error {
	defer showGateways(object)
	toServices(object)
	return c.Client.Update(ctx, object, options...)
}

func (c serviceParents) Patch(ctx context.Context, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	defer showGateways(object)
	return c.Client.Patch(ctx, object, patch, options...)
}

func (c serviceParents) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if gateway, ok := object.(*gatewayv1.Gateway); ok {
		return c.gateway(ctx, key, gateway)
	}
	defer showGateways(object)
	return c.Client.Get(ctx, key, object, options...)
}

func (c serviceParents) gateway(ctx context.Context, key client.ObjectKey, gateway *gatewayv1.Gateway) error {
	service := &corev1.Service{}
	if err := c.Client.Get(ctx, key, service); err != nil {
		return err
	}
	address := netip.MustParseAddr(service.Spec.ClusterIP).String()
	addressType := gatewayv1.IPAddressType
	*gateway = gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, Generation: 1}}
	gateway.Status.Addresses = []gatewayv1.GatewayStatusAddress{{Type: &addressType, Value: address}}
	gateway.Status.Conditions = conditions("Accepted", "Programmed")
	for _, port := range service.Spec.Ports {
		name := gatewayv1.SectionName(port.Name)
		gateway.Spec.Listeners = append(gateway.Spec.Listeners, gatewayv1.Listener{Name: name, Port: port.Port, Protocol: gatewayv1.HTTPProtocolType})
		gateway.Status.Listeners = append(gateway.Status.Listeners, gatewayv1.ListenerStatus{
			Name: name, Conditions: conditions("Accepted", "ResolvedRefs", "Programmed"),
		})
	}
	return nil
}

func conditions(types ...string) []metav1.Condition {
	made := []metav1.Condition{}
	for _, one := range types {
		made = append(made, metav1.Condition{Type: one, Status: metav1.ConditionTrue, Reason: one, ObservedGeneration: 1})
	}
	return made
}

// appProtocols says what a port speaks, by the protocol of a Gateway's listener.
var appProtocols = map[gatewayv1.ProtocolType]string{
	gatewayv1.HTTPProtocolType: "http", gatewayv1.TLSProtocolType: "tls", gatewayv1.TCPProtocolType: "tcp",
}

// serviceFor makes the Service that stands for a Gateway, with a port for each of its listeners; nil for anything that is no manifest of a Gateway.
func serviceFor(object client.Object) *corev1.Service {
	manifest, ok := object.(*unstructured.Unstructured)
	if !ok || manifest.GetKind() != "Gateway" {
		return nil
	}
	gateway := gatewayv1.Gateway{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(manifest.Object, &gateway); err != nil {
		panic(err)
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: gateway.Namespace, Name: gateway.Name}}
	for _, listener := range gateway.Spec.Listeners {
		appProtocol := appProtocols[listener.Protocol]
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: string(listener.Name), Port: listener.Port, AppProtocol: &appProtocol})
	}
	return service
}

// toServices changes the parents of a route, in a manifest or as a test makes it.
func toServices(object client.Object) {
	if spec, _ := ofRoute(object); spec != nil {
		for i := range spec.ParentRefs {
			group, kind := gatewayv1.Group(""), gatewayv1.Kind("Service")
			spec.ParentRefs[i].Group, spec.ParentRefs[i].Kind = &group, &kind
		}
		return
	}
	route, ok := object.(*unstructured.Unstructured)
	if !ok {
		return
	}
	parents, found, err := unstructured.NestedSlice(route.Object, "spec", "parentRefs")
	if err != nil || !found {
		return
	}
	for _, parent := range parents {
		fields := parent.(map[string]any)
		fields["group"], fields["kind"] = "", "Service"
	}
	if err := unstructured.SetNestedSlice(route.Object, parents, "spec", "parentRefs"); err != nil {
		panic(err)
	}
}

// showGateways changes them back, in the status too.
func showGateways(object client.Object) {
	spec, status := ofRoute(object)
	if spec == nil {
		return
	}
	for i := range spec.ParentRefs {
		showGateway(&spec.ParentRefs[i])
	}
	for i := range status.Parents {
		showGateway(&status.Parents[i].ParentRef)
	}
}

func ofRoute(object client.Object) (*gatewayv1.CommonRouteSpec, *gatewayv1.RouteStatus) {
	switch route := object.(type) {
	case *gatewayv1.HTTPRoute:
		return &route.Spec.CommonRouteSpec, &route.Status.RouteStatus
	case *gatewayv1.GRPCRoute:
		return &route.Spec.CommonRouteSpec, &route.Status.RouteStatus
	case *gatewayv1.TCPRoute:
		return &route.Spec.CommonRouteSpec, &route.Status.RouteStatus
	case *gatewayv1.TLSRoute:
		return &route.Spec.CommonRouteSpec, &route.Status.RouteStatus
	}
	return nil, nil
}

func showGateway(parent *gatewayv1.ParentReference) {
	if parent.Kind == nil || *parent.Kind != "Service" {
		return
	}
	group, kind := gatewayv1.Group(gatewayv1.GroupName), gatewayv1.Kind("Gateway")
	parent.Group, parent.Kind = &group, &kind
}
