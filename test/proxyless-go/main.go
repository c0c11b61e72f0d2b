// A proxyless gRPC client as a process of its own: gRPC for Go with its xDS support, told by GRPC_XDS_BOOTSTRAP where its pilot is. It knows
// nothing of Fairway. In: commands as lines of JSON on stdin. Out: an answer for each, as a line of JSON on stdout. The commands are those of
// test/feature/proxyless-client.ts.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	_ "google.golang.org/grpc/xds"
)

const lanes = 4

type command struct {
	ID        int               `json:"id"`
	Do        string            `json:"do"`
	Target    string            `json:"target"`
	Count     int               `json:"count"`
	Method    string            `json:"method"`
	Headers   map[string]string `json:"headers"`
	TimeoutMs int               `json:"timeoutMs"`
	Load      int               `json:"load"`
}

type answer struct {
	ID     int            `json:"id"`
	By     map[string]int `json:"by"`
	Failed map[string]int `json:"failed"`
}

type tally struct {
	mu     sync.Mutex
	by     map[string]int
	failed map[string]int
	over   atomic.Bool
	done   sync.WaitGroup
}

func newTally() *tally {
	return &tally{by: map[string]int{}, failed: map[string]int{}}
}

func (t *tally) answer(id int) answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	copied := answer{ID: id, By: map[string]int{}, Failed: map[string]int{}}
	for name, count := range t.by {
		copied.By[name] = count
	}
	for name, count := range t.failed {
		copied.Failed[name] = count
	}
	return copied
}

// Messages are bytes as they are.
type plain struct{}

func (plain) Marshal(v any) ([]byte, error)      { return v.([]byte), nil }
func (plain) Unmarshal(data []byte, v any) error { *v.(*[]byte) = append([]byte(nil), data...); return nil }
func (plain) Name() string                       { return "plain" }

type clients struct {
	mu       sync.Mutex
	byTarget map[string]*grpc.ClientConn
}

func (c *clients) of(target string) (*grpc.ClientConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.byTarget[target]; known != nil {
		return known, nil
	}
	made, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err == nil {
		c.byTarget[target] = made
	}
	return made, err
}

func call(all *clients, cmd command, t *tally) {
	connection, err := all.of(cmd.Target)
	var reply []byte
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(cmd.TimeoutMs)*time.Millisecond)
		defer cancel()
		for name, value := range cmd.Headers {
			ctx = metadata.AppendToOutgoingContext(ctx, name, value)
		}
		err = connection.Invoke(ctx, cmd.Method, []byte("?"), &reply, grpc.ForceCodec(plain{}))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		t.by[string(reply)]++
		return
	}
	t.failed[fmt.Sprintf("%d %s", status.Code(err), status.Convert(err).Message())]++
}

func inLanes(next func() bool, all *clients, cmd command, t *tally) {
	for range lanes {
		t.done.Add(1)
		go func() {
			defer t.done.Done()
			for next() {
				call(all, cmd, t)
			}
		}()
	}
}

func main() {
	all := &clients{byTarget: map[string]*grpc.ClientConn{}}
	loads := map[int]*tally{}
	var out sync.Mutex
	say := func(a answer) {
		out.Lock()
		defer out.Unlock()
		if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
			os.Exit(1)
		}
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		cmd := command{Count: 1, Method: "/shop.Reviews/Get", TimeoutMs: 30_000}
		if err := json.Unmarshal(lines.Bytes(), &cmd); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		switch cmd.Do {
		case "call":
			t := newTally()
			var started atomic.Int64
			inLanes(func() bool { return started.Add(1) <= int64(cmd.Count) }, all, cmd, t)
			go func() {
				t.done.Wait()
				say(t.answer(cmd.ID))
			}()
		case "load":
			t := newTally()
			loads[cmd.ID] = t
			inLanes(func() bool { return !t.over.Load() }, all, cmd, t)
			say(answer{ID: cmd.ID})
		case "peek", "stop":
			t := loads[cmd.Load]
			if cmd.Do == "stop" {
				t.over.Store(true)
				t.done.Wait()
			}
			say(t.answer(cmd.ID))
		}
	}
}
