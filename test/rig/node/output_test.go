package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestWritesLinesAsTheKubeletReadsThem(t *testing.T) {
	o := newOutput(filepath.Join(t.TempDir(), "a", "log"))
	if err := o.reopen(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", lineMax)
	o.copy(strings.NewReader("one\n\n"+long+"y\nlast"), "stderr")
	o.close()
	text, err := os.ReadFile(o.file)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`^\S+Z stderr ([PF]) (.*)$`)
	var whole strings.Builder
	for _, one := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		parts := line.FindStringSubmatch(one)
		if parts == nil {
			t.Fatalf("no line of a log: %.80q", one)
		}
		whole.WriteString(parts[2])
		if parts[1] == "F" {
			whole.WriteString("\n")
		}
		if len(parts[2]) > 2*lineMax {
			t.Errorf("a line of %d bytes", len(parts[2]))
		}
	}
	if want := "one\n\n" + long + "y\nlast\n"; whole.String() != want {
		t.Errorf("got %.80q…, want %.80q…", whole.String(), want)
	}
}

func TestTellsWhoIsAttached(t *testing.T) {
	o := newOutput(filepath.Join(t.TempDir(), "log"))
	var out, problems strings.Builder
	a := &attachment{out: &out, err: &problems}
	o.attach(a)
	o.copy(strings.NewReader("to out"), "stdout")
	o.copy(strings.NewReader("to err"), "stderr")
	o.detach(a)
	o.copy(strings.NewReader("to nobody"), "stdout")
	if out.String() != "to out" || problems.String() != "to err" {
		t.Errorf("got %q and %q", out.String(), problems.String())
	}
}
