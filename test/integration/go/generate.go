// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"reflect"
	"strconv"
)

// One document in the making.  What `odd` is: how many of a thousand places
// are spelt in a way of their own; 0 is an ordinary document.
type maker struct {
	state uint64
	odd   int
	b     []byte
}

// next is splitmix64: every document has a generator of its own, so that one
// can be made again alone.
func (m *maker) next() uint64 {
	m.state += 0x9e3779b97f4a7c15
	z := m.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (m *maker) n(below int) int           { return int(m.next() % uint64(below)) }
func (m *maker) isOdd() bool               { return m.odd > 0 && m.n(1000) < m.odd }
func (m *maker) pick(list []string) string { return list[m.n(len(list))] }
func (m *maker) add(s string)              { m.b = append(m.b, s...) }
func (m *maker) blank()                    { m.add(m.pick(blanks)) }
func (m *maker) escape(c rune)             { m.add(fmt.Sprintf([]string{`\u%04x`, `\u%04X`}[m.n(2)], c)) }

var (
	blanks = []string{"", "", "", "", "", "", "", " ", "\n", "\t\r\n"}
	// what a string may hold, all of it right
	plain = []string{"/srv/data:/data", "alpine", "0123456789abcdef0123456789abcdef", "x=y", "é", "漢字", "😀", "K", "ſ",
		"\u007f", "\u2028", "a", "", "", "bridge", "8080/tcp", "~", "%00", "\uffff", "\ufeff", "'", "NetworkMode"}
	escapes = []string{`\n`, `\t`, `\"`, `\\`, `\/`, `\b`, `\f`, `\r`, `\u0041`, `\u00e9`, `\u20ac`, `\ud83d\ude00`, `\u0000`,
		`\u212a`, `\u017F`, `\ufffd`, `\uFFFF`, `\u003c`}
	// what a string may not hold, or must not for us
	wrong = []string{"\xff", "\xc0\x80", "\xed\xa0\x80", "\xc3", "\xf4\x90\x80\x80", "\n", "\x00", "\x1f", `\ud800`, `\udc00`,
		`\udc00\ud800`, `\ud800\ud800`, `\ud800\u0041`, `\x41`, `\'`, `\u12`, `\u12g4`, `\U0041`, `\0`, `\u{41}`, `"`, `\`}
	values = []string{"null", "null", "null", "true", "false", "0", "1", "-1", "-0", "1.0", "1e3", "1E400", "0.5", "01", "+1", "-",
		".5", "1.", "0x10", "NaN", "Infinity", "-Infinity", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"-9223372036854775809", "65535", "65536", "123456789012345678901234567890",
		"18446744073709551615", "18446744073709551617", "10000000000000000000", `""`, `"1"`, `"true"`, "[]", "{}", "[null]",
		"[{}]", `[""]`, "[[]]", `{"a":null}`, `{"a":{}}`, `{"a":1}`, "True", "nul", "", "undefined", "[1,]", "{,}", "'a'", "1 1",
		`{"Memory":1,"memory":2}`, `{"Privileged":true}`, "[true]", "//x\n1", "/**/1", "\u00a01", "\v1"}
	after  = []string{" ", "\n", "}", "]", ",", "{}", "null", "\x00", "\xef\xbb\xbf", "{\"Privileged\":true}", " \t}", "//", "\v", "\xff"}
	before = []string{"\xef\xbb\xbf", "\x00", "\ufeff ", " \n", "\v", ")]}'\n", "\xff\xfe", "\u00a0", "#", "[", "{"}
)

// str adds a string with its quotes.
func (m *maker) str() {
	m.b = append(m.b, '"')
	for n := m.n(4); n > 0; n-- {
		switch {
		case m.isOdd():
			m.add(m.pick(wrong))
		case m.n(6) == 0:
			m.add(m.pick(escapes))
		default:
			m.add(m.pick(plain))
		}
	}
	m.b = append(m.b, '"')
}

// letter adds one letter of a key; `style` is how much freedom it has.
func (m *maker) letter(c rune, style int) {
	if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' {
		switch low := c | 0x20; {
		case style >= 1 && m.n(3) == 0:
			c ^= 0x20
		case style >= 2 && low == 'k' && m.n(2) == 0:
			c = '\u212a'
		case style >= 2 && low == 's' && m.n(2) == 0:
			c = '\u017f'
		case style >= 3 && m.n(8) == 0:
			c = []rune{'é', 'ı', 'İ', 0, 'ß', c ^ 1, '\u0410', c | 0x80}[m.n(8)]
		}
	}
	if c == 0 || style >= 1 && m.n(10) == 0 {
		m.escape(c)
	} else {
		m.add(string(c))
	}
}

// key adds a key that Go may take for the field `name`.
func (m *maker) key(name string) {
	style := 0
	if m.n(8) == 0 {
		style = 1
	}
	if m.isOdd() {
		style = 1 + m.n(3)
	}
	m.b = append(m.b, '"')
	for i, c := range name {
		if style == 3 && m.n(12) == 0 && i > 0 {
			continue
		}
		m.letter(c, style)
	}
	if m.isOdd() {
		m.add(m.pick(wrong))
	}
	m.b = append(m.b, '"')
}

func (m *maker) colon() {
	m.blank()
	m.b = append(m.b, ':')
	m.blank()
	if m.isOdd() {
		m.add(m.pick(values))
	}
}

// member separates; first says whether it is the first one.
func (m *maker) comma(first *bool) {
	if !*first {
		m.b = append(m.b, ',')
	} else if m.isOdd() && m.n(10) == 0 {
		m.b = append(m.b, ',')
	}
	*first = false
	m.blank()
}

func (m *maker) structure(t reflect.Type, depth int) {
	first := true
	start := m.n(t.NumField() + 1)
	m.b = append(m.b, '{')
	for i := 0; i < t.NumField(); i++ {
		f := t.Field((i + start) % t.NumField())
		if m.n(3) != 0 {
			continue
		}
		for again := true; again; again = m.isOdd() {
			m.comma(&first)
			m.key(fieldName(f))
			m.colon()
			m.value(f.Type, depth)
		}
	}
	if m.n(20) == 0 {
		m.comma(&first)
		m.add([]string{`"Unknown"`, `"größe"`, `"é"`, `""`}[m.n(4)])
		m.colon()
		m.anything(3)
	}
	m.blank()
	m.b = append(m.b, '}')
}

// anything adds a value of no type in particular.
func (m *maker) anything(depth int) {
	first := true
	switch kind := m.n(6); {
	case kind == 0 && depth > 0:
		m.b = append(m.b, '[')
		for n := m.n(4); n > 0; n-- {
			m.comma(&first)
			m.anything(depth - 1)
		}
		m.b = append(m.b, ']')
	case kind == 1 && depth > 0:
		m.b = append(m.b, '{')
		for n := m.n(4); n > 0; n-- {
			m.comma(&first)
			m.add(`"k` + strconv.Itoa(n) + `"`)
			m.colon()
			m.anything(depth - 1)
		}
		m.b = append(m.b, '}')
	case kind == 2:
		m.str()
	case kind == 3:
		m.add([]string{"1.5e-7", "1e400", "-0.0", "123456789012345678901234567890"}[m.n(4)])
	default:
		m.add([]string{"null", "true", "false", "0"}[m.n(4)])
	}
	m.blank()
}

// deep adds nested lists: Go takes 10,000 of them, we 64.
func (m *maker) deep() {
	n := []int{5, 50, 70, 2000}[m.n(4)]
	for i := 0; i < n; i++ {
		m.b = append(m.b, '[')
	}
	for i := 0; i < n; i++ {
		m.b = append(m.b, ']')
	}
}

func (m *maker) value(t reflect.Type, depth int) {
	if m.isOdd() {
		if m.n(50) == 0 {
			m.deep()
		} else {
			m.add(m.pick(values))
		}
		return
	}
	if m.n(15) == 0 {
		m.add("null")
		return
	}
	switch t.Kind() {
	case reflect.String:
		m.str()
	case reflect.Bool:
		m.add([]string{"true", "false"}[m.n(2)])
	case reflect.Int, reflect.Int64:
		if m.n(40) == 0 {
			m.add([]string{"-0", "9223372036854775807", "-9223372036854775808"}[m.n(3)])
		} else {
			m.add(strconv.FormatInt(int64(m.next())>>(uint(m.n(63))), 10))
		}
	case reflect.Uint16:
		m.add(strconv.Itoa(m.n(65536)))
	case reflect.Pointer:
		m.value(t.Elem(), depth)
	case reflect.Struct:
		m.structure(t, depth+1)
	case reflect.Slice:
		m.list(t, depth)
	case reflect.Map:
		m.mapping(t, depth)
	}
	m.blank()
}

func (m *maker) list(t reflect.Type, depth int) {
	if t.Name() == "Words" && m.n(3) == 0 {
		m.str()
		return
	}
	first := true
	m.b = append(m.b, '[')
	for n := m.n(4); n > 0; n-- {
		m.comma(&first)
		m.value(t.Elem(), depth)
	}
	m.b = append(m.b, ']')
}

func (m *maker) mapping(t reflect.Type, depth int) {
	first := true
	m.b = append(m.b, '{')
	for n := m.n(5); n > 0; n-- {
		m.comma(&first)
		// keys of a map that fold together are two keys
		switch m.n(3) {
		case 0:
			m.add(`"com.acme.` + []string{"k", "K", "s", "é", "É"}[m.n(5)] + strconv.Itoa(n) + `"`)
		case 1:
			m.add(`"` + strconv.Itoa(n))
			m.add(m.pick(escapes))
			m.add(`"`)
		default:
			m.add(`"\u004b` + strconv.Itoa(n) + `"`)
		}
		if m.isOdd() { // an equal key follows
			m.add(`:null,"\u004b` + strconv.Itoa(n) + `"`)
		}
		m.colon()
		m.value(t.Elem(), depth)
	}
	m.b = append(m.b, '}')
}

// scratch does to the bytes what no grammar would.
func (m *maker) scratch() {
	if len(m.b) == 0 {
		return
	}
	at := m.n(len(m.b))
	switch m.n(6) {
	case 0:
		m.b[at] = byte(m.next())
	case 1:
		m.b[at] ^= 1 << uint(m.n(8))
	case 2:
		m.b = append(m.b[:at], m.b[at+1:]...)
	case 3:
		m.b = m.b[:at]
	case 4:
		rest := append([]byte{byte(m.next())}, m.b[at:]...)
		m.b = append(m.b[:at], rest...)
	case 5:
		to := at + m.n(len(m.b)-at)
		m.b = append(m.b, m.b[at:to]...)
	}
}

// generate makes document i; ordinary: a client could have sent it, and we
// must take it.
func generate(seed, i uint64) (doc []byte, ordinary bool) {
	m := maker{state: seed ^ (i+1)*0xd1342543de82ef95, b: make([]byte, 0, 1024)}
	m.odd = []int{0, 0, 0, 2, 5, 10, 20, 50, 150}[m.n(9)]
	style := m.n(12)
	if style == 0 {
		m.add(m.pick(before))
	}
	m.value(reflect.TypeOf(Create{}), 0)
	switch style {
	case 1:
		m.add(m.pick(after))
	case 2, 3:
		for n := 1 + m.n(3); n > 0; n-- {
			m.scratch()
		}
	}
	return m.b, m.odd == 0 && style > 3
}
