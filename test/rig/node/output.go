package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The kubelet's format: https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md
const logTime = "2006-01-02T15:04:05.000000000Z07:00"

// Longer lines are split, the parts marked P.
const lineMax = 16 << 10

// output is what a container says: written to its log, and to whoever is attached now.
type output struct {
	file string

	mu       sync.Mutex
	log      *os.File
	attached map[*attachment]bool
}

type attachment struct {
	out, err io.Writer
}

func newOutput(file string) *output {
	return &output{file: file, attached: map[*attachment]bool{}}
}

// copy takes a stream (stdout or stderr) line by line until it ends.
func (o *output) copy(from io.Reader, stream string) {
	var rest []byte
	chunk := make([]byte, lineMax)
	for {
		n, err := from.Read(chunk)
		o.toAttached(stream, chunk[:n])
		rest = append(rest, chunk[:n]...)
		for {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				break
			}
			o.line(stream, "F", rest[:end])
			rest = rest[end+1:]
		}
		if len(rest) >= lineMax {
			o.line(stream, "P", rest)
			rest = nil
		}
		if err != nil {
			if len(rest) > 0 {
				o.line(stream, "F", rest)
			}
			return
		}
	}
}

func (o *output) line(stream, tag string, text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.log != nil {
		fmt.Fprintf(o.log, "%s %s %s %s\n", time.Now().UTC().Format(logTime), stream, tag, text)
	}
}

// reopen is asked for at the start, and after the kubelet has moved the file away.
func (o *output) reopen() error {
	if err := os.MkdirAll(filepath.Dir(o.file), 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(o.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	o.close()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.log = log
	return nil
}

func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.log != nil {
		o.log.Close()
		o.log = nil
	}
}

func (o *output) attach(a *attachment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attached[a] = true
}

func (o *output) detach(a *attachment) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.attached, a)
}

func (o *output) toAttached(stream string, text []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for a := range o.attached {
		writer := a.out
		if stream == "stderr" {
			writer = a.err
		}
		if writer == nil {
			continue
		}
		if _, err := writer.Write(text); err != nil {
			delete(o.attached, a)
		}
	}
}
