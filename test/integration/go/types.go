// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strconv"
)

// Types like the ones that dockerd decodes a container create into: every
// way of holding a value that it uses.  test/tools/json_dump.c has the same,
// in the same order.

type Words []string

// UnmarshalJSON takes a list or one string, as Docker's strslice does.
func (w *Words) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*w = list
		return nil
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*w = []string{one}
	return nil
}

type Health struct {
	Test     []string
	Interval int64
	Retries  int
}

type Port struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

type Restart struct {
	Name              string
	MaximumRetryCount int
}

type Device struct {
	PathOnHost        string
	PathInContainer   string
	CgroupPermissions string
}

type Ulimit struct {
	Name string
	Hard int64
	Soft int64
}

type Bind struct {
	Propagation  string `json:",omitempty"`
	NonRecursive bool   `json:",omitempty"`
}

type Mount struct {
	Type        string `json:",omitempty"`
	Source      string `json:",omitempty"`
	Target      string `json:",omitempty"`
	ReadOnly    bool   `json:",omitempty"`
	BindOptions *Bind  `json:",omitempty"`
}

type Logging struct {
	Type   string
	Config map[string]string
}

type Host struct {
	Binds          []string
	NetworkMode    string
	PortBindings   map[string][]Port
	RestartPolicy  Restart
	AutoRemove     bool
	VolumesFrom    []string
	CapAdd         Words
	PidMode        string
	Privileged     bool
	SecurityOpt    []string
	Sysctls        map[string]string `json:",omitempty"`
	Memory         int64
	MemorySwap     int64
	NanoCPUs       int64 `json:"NanoCpus"`
	BlkioWeight    uint16
	Devices        []Device
	OomKillDisable *bool
	PidsLimit      *int64
	Ulimits        []*Ulimit
	Mounts         []Mount `json:",omitempty"`
	LogConfig      Logging
	MaskedPaths    []string
	Tmpfs          map[string]string `json:",omitempty"`
}

type IPAM struct {
	IPv4Address  string   `json:",omitempty"`
	LinkLocalIPs []string `json:",omitempty"`
}

type Endpoint struct {
	IPAMConfig *IPAM
	Links      []string
	Aliases    []string
	DriverOpts map[string]string
	MacAddress string
}

type Networking struct {
	EndpointsConfig map[string]*Endpoint
}

type Create struct {
	Hostname         string
	User             string
	AttachStdin      bool
	ExposedPorts     map[string]struct{} `json:",omitempty"`
	Tty              bool
	Env              []string
	Cmd              Words
	Entrypoint       Words
	Healthcheck      *Health `json:",omitempty"`
	Image            string
	Volumes          map[string]struct{}
	WorkingDir       string
	Labels           map[string]string
	StopTimeout      *int `json:",omitempty"`
	HostConfig       *Host
	NetworkingConfig *Networking
}

// fieldName is the key of a field.
func fieldName(f reflect.StructField) string {
	tag := f.Tag.Get("json")
	for i := range tag {
		if tag[i] == ',' {
			tag = tag[:i]
			break
		}
	}
	if tag != "" {
		return tag
	}
	return f.Name
}

func showString(to []byte, s string) []byte {
	to = append(to, '"')
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			to = append(to, fmt.Sprintf("\\%02x", c)...)
		} else {
			to = append(to, c)
		}
	}
	return append(to, '"')
}

// show appends the spelling that json_dump.c has for the same value.
func show(to []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.String:
		return showString(to, v.String())
	case reflect.Bool:
		if v.Bool() {
			return append(to, 't')
		}
		return append(to, 'f')
	case reflect.Int, reflect.Int64:
		return strconv.AppendInt(to, v.Int(), 10)
	case reflect.Uint16:
		return strconv.AppendUint(to, v.Uint(), 10)
	case reflect.Struct:
		to = append(to, '{')
		for i := 0; i < v.NumField(); i++ {
			to = append(show(to, v.Field(i)), ',')
		}
		return append(to, '}')
	}
	if v.IsNil() {
		return append(to, '~')
	}
	switch v.Kind() {
	case reflect.Pointer:
		return show(to, v.Elem())
	case reflect.Slice:
		to = append(to, '[')
		for i := 0; i < v.Len(); i++ {
			to = append(show(to, v.Index(i)), ',')
		}
		return append(to, ']')
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, k int) bool { return keys[i].String() < keys[k].String() })
		to = append(to, '<')
		for _, k := range keys {
			to = append(showString(to, k.String()), ':')
			to = append(show(to, v.MapIndex(k)), ',')
		}
		return append(to, '>')
	}
	panic("no such type here: " + v.Kind().String())
}
