// SPDX-License-Identifier: Apache-2.0

// json asks Go's encoding/json, which dockerd uses, and test/tools/json_dump,
// which uses our reader, the same questions: generated bodies of a container
// create, right ones and every kind of wrong one.  Whatever Go takes we must
// have seen the same way, or refused; what Go refuses we refuse; and what is
// spelt like a client spells it we do not refuse.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"sync"
	"unicode"
)

const batch = 256

// A child that is asked a batch of documents at a time.
type asker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func newAsker(tool string) (*asker, error) {
	cmd := exec.Command(tool)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &asker{cmd, in, bufio.NewReaderSize(out, 1<<20)}, cmd.Start()
}

// ask returns one line for each document.
func (a *asker) ask(docs [][]byte) ([][]byte, error) {
	var send bytes.Buffer
	for _, d := range docs {
		binary.Write(&send, binary.LittleEndian, uint32(len(d)))
		send.Write(d)
	}
	binary.Write(&send, binary.LittleEndian, ^uint32(0))
	wrote := make(chan error, 1)
	go func() {
		_, err := a.in.Write(send.Bytes())
		wrote <- err
	}()
	lines := make([][]byte, len(docs))
	for i := range docs {
		line, err := a.out.ReadBytes('\n')
		if err != nil {
			return nil, fmt.Errorf("json_dump: %w", err)
		}
		lines[i] = line[:len(line)-1]
	}
	return lines, <-wrote
}

func (a *asker) close() error {
	a.in.Close()
	return a.cmd.Wait()
}

// What is counted, and shown when it went wrong.
type tally struct {
	sync.Mutex
	passed, failed           int
	same, refused, goRefused int
}

func (t *tally) fail(what string, doc []byte, goSees, weSee string) {
	t.Lock()
	defer t.Unlock()
	t.failed++
	if t.failed <= 10 {
		fmt.Printf("FAILED %s\n  document %q\n  Go       %s\n  we       %s\n", what, doc, goSees, weSee)
	}
}

// judge compares what Go and we make of one document.
func (t *tally) judge(what string, doc []byte, ordinary bool, line []byte) {
	var c Create
	weSee := string(line)
	refused := weSee == "REFUSED"
	// as in dockerd: a Decoder, which does not look at what follows
	err := json.NewDecoder(bytes.NewReader(doc)).Decode(&c)
	if err != nil {
		if !refused {
			t.fail(what, doc, "refuses: "+err.Error(), weSee)
			return
		}
	} else if !refused || ordinary {
		if goSees := string(show(nil, reflect.ValueOf(c))); goSees != weSee {
			t.fail(what, doc, goSees, weSee)
			return
		}
	}
	t.Lock()
	t.passed++
	if err != nil {
		t.goRefused++
	} else if refused {
		t.refused++
	} else {
		t.same++
	}
	t.Unlock()
}

// documents runs from..to by one child.
func (t *tally) documents(tool string, seed, from, to uint64) error {
	a, err := newAsker(tool)
	if err != nil {
		return err
	}
	docs := make([][]byte, 0, batch)
	ordinary := make([]bool, 0, batch)
	for at := from; at < to; at += uint64(len(docs)) {
		docs, ordinary = docs[:0], ordinary[:0]
		for i := at; i < to && len(docs) < batch; i++ {
			d, o := generate(seed, i)
			docs, ordinary = append(docs, d), append(ordinary, o)
		}
		lines, err := a.ask(docs)
		if err != nil {
			return err
		}
		for i := range docs {
			what := fmt.Sprintf("seed %d, document %d", seed, at+uint64(i))
			t.judge(what, docs[i], ordinary[i], lines[i])
		}
	}
	return a.close()
}

func least(r rune) rune {
	m := r
	for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
		if x < m {
			m = x
		}
	}
	return m
}

// foldings asks for every rune there is: two that fold together are twins,
// and those that do not are none.  The é keeps them from being odd keys.
func (t *tally) foldings(tool string) error {
	var docs [][]byte
	var want []bool // to be refused
	alone := []byte("{")
	n := 0
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if r >= 0xd800 && r <= 0xdfff {
			continue
		}
		if f := unicode.SimpleFold(r); f != r {
			docs = append(docs, []byte(fmt.Sprintf(`{"é%c":0,"é%c":0}`, r, f)))
			want = append(want, true)
		}
		if least(r) == r {
			if n > 0 {
				alone = append(alone, ',')
			}
			alone = append(quoteKey(append(alone, '"'), r), `":0`...)
			n++
		}
		if n == 5000 || r == unicode.MaxRune {
			docs = append(docs, append(alone, '}'))
			want = append(want, false)
			alone, n = []byte("{"), 0
		}
	}
	a, err := newAsker(tool)
	if err != nil {
		return err
	}
	for at := 0; at < len(docs); at += batch {
		to := at + batch
		if to > len(docs) {
			to = len(docs)
		}
		lines, err := a.ask(docs[at:to])
		if err != nil {
			return err
		}
		for i, line := range lines {
			if refused := string(line) == "REFUSED"; refused != want[at+i] {
				doc := docs[at+i]
				if len(doc) > 40 {
					doc = doc[:40]
				}
				t.fail("folding", doc, fmt.Sprint("twins: ", want[at+i]), string(line))
			} else {
				t.passed++
			}
		}
	}
	return a.close()
}

func quoteKey(to []byte, r rune) []byte {
	to = append(to, "é"...)
	if r < 0x20 || r == '"' || r == '\\' {
		return append(to, fmt.Sprintf(`\u%04x`, r)...)
	}
	return append(to, string(r)...)
}

func main() {
	tool := flag.String("tool", "build/tools/json_dump", "our side")
	docs := flag.Uint64("docs", 1000000, "how many documents")
	seed := flag.Uint64("seed", 1, "of the generator")
	only := flag.Int64("only", -1, "this document only")
	workers := flag.Uint64("workers", 2, "at a time")
	flag.Parse()
	fmt.Printf("seed %d\n", *seed)

	var t tally
	if *only >= 0 {
		d, _ := generate(*seed, uint64(*only))
		fmt.Printf("%s\n", d)
		if err := t.documents(*tool, *seed, uint64(*only), uint64(*only)+1); err != nil {
			fmt.Println(err)
			t.failed++
		}
	} else {
		if err := t.foldings(*tool); err != nil {
			fmt.Println(err)
			t.failed++
		}
		errs := make(chan error)
		for w := uint64(0); w < *workers; w++ {
			go func(w uint64) {
				errs <- t.documents(*tool, *seed, *docs*w / *workers, *docs*(w+1) / *workers)
			}(w)
		}
		for w := uint64(0); w < *workers; w++ {
			if err := <-errs; err != nil {
				fmt.Println(err)
				t.failed++
			}
		}
		fmt.Printf("%d seen alike, %d refused by us only, %d by both\n", t.same, t.refused, t.goRefused)
	}
	fmt.Printf("%d passed, %d failed\n", t.passed, t.failed)
	if t.failed > 0 || t.passed == 0 {
		os.Exit(1)
	}
}
