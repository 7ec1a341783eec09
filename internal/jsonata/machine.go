// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package jsonata

import (
	"context"
	"crypto/md5"  //nolint:gosec // $hash offers MD5 and SHA-1; nothing here relies on them.
	"crypto/rand" // for UUIDs
	"crypto/sha1" //nolint:gosec // see above
	"crypto/sha256"
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	mathrand "math/rand/v2"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dlclark/regexp2/v2"
	"github.com/dop251/goja"

	"github.com/switchback-project/switchback/asl"
)

//go:embed asset/jsonata.min.js
var librarySource string

//go:embed asset/prelude.js
var preludeSource string

// The one limit of the library that is too high for us: the range operator makes up to 1e7 items.
const (
	libraryRangeLimit = "n>1e7"
	loweredRangeLimit = "n>1e6"
)

// programs are compiled once and shared by all machines.
var programs = sync.OnceValues(func() (programs [2]*goja.Program, err error) {
	if strings.Count(librarySource, libraryRangeLimit) != 1 {
		return programs, errors.New("the range limit was not found in jsonata.min.js")
	}
	// goja falls back to a backtracking engine for some regular expressions; without a timeout it could run for ever,
	// where no interrupt reaches it.
	regexp2.DefaultMatchTimeout = DefaultTimeout
	library := "(function(module,exports){" + strings.Replace(librarySource, libraryRangeLimit, loweredRangeLimit, 1) +
		";return module.exports})"
	if programs[0], err = goja.Compile("jsonata.min.js", library, false); err != nil {
		return programs, err
	}
	programs[1], err = goja.Compile("prelude.js", preludeSource, true)
	return programs, err
})

// machine is one JavaScript virtual machine with the library in it. It serves one evaluation at a time.
type machine struct {
	vm         *goja.Runtime
	checkFn    goja.Callable
	evaluateFn goja.Callable
}

func newMachine(o *Options) (*machine, error) {
	loaded, err := programs()
	if err != nil {
		return nil, err
	}
	vm := goja.New()
	vm.SetMaxCallStackSize(maxCallDepth)
	if o.Clock != nil {
		vm.SetTimeSource(o.Clock)
	}
	random := o.Random
	if random == nil {
		random = mathrand.Float64
	}
	vm.SetRandSource(random)
	library, err := loadLibrary(vm, loaded[0])
	if err != nil {
		return nil, err
	}
	setup, err := callable(vm.RunProgram(loaded[1]))
	if err != nil {
		return nil, err
	}
	bridge, err := setup(goja.Undefined(), library, vm.ToValue(hostFunctions(vm, o, random)))
	if err != nil {
		return nil, err
	}
	m := &machine{vm: vm}
	object := bridge.ToObject(vm)
	m.checkFn, _ = goja.AssertFunction(object.Get("check"))
	m.evaluateFn, _ = goja.AssertFunction(object.Get("evaluate"))
	return m, nil
}

// loadLibrary runs the library the way a module loader does. It finds btoa and atob in window.
func loadLibrary(vm *goja.Runtime, program *goja.Program) (goja.Value, error) {
	window := map[string]any{"btoa": func(call goja.FunctionCall) goja.Value { return btoa(call, vm) }, "atob": func(text string) string { return atob(vm, text) }}
	if err := vm.Set("window", window); err != nil {
		return nil, err
	}
	wrapper, err := callable(vm.RunProgram(program))
	if err != nil {
		return nil, err
	}
	module := vm.NewObject()
	exports := vm.NewObject()
	if err := module.Set("exports", exports); err != nil {
		return nil, err
	}
	return wrapper(goja.Undefined(), module, exports)
}

func callable(v goja.Value, err error) (goja.Callable, error) {
	if err != nil {
		return nil, err
	}
	fn, ok := goja.AssertFunction(v)
	if !ok {
		return nil, errors.New("script did not evaluate to a function")
	}
	return fn, nil
}

// btoa takes the low byte of each code unit, as the library does on Node.js.
func btoa(call goja.FunctionCall, vm *goja.Runtime) goja.Value {
	text, ok := call.Argument(0).ToString().(goja.String)
	if !ok {
		return goja.Undefined()
	}
	units := make([]byte, text.Length())
	for i := range units {
		units[i] = byte(text.CharAt(i))
	}
	return vm.ToValue(base64.StdEncoding.EncodeToString(units))
}

func atob(vm *goja.Runtime, text string) string {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		panic(vm.NewGoError(errors.New("the text is not base64")))
	}
	runes := make([]rune, len(data))
	for i, b := range data {
		runes[i] = rune(b)
	}
	return string(runes)
}

var hashes = map[string]func() hash.Hash{
	"MD5": md5.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
}

// hostFunctions are what prelude.js gets from Go.
func hostFunctions(vm *goja.Runtime, o *Options, random func() float64) map[string]any {
	uuid := o.UUID
	if uuid == nil {
		uuid = randomUUID
	}
	return map[string]any{
		"maxItems": maxItems,
		"uuid":     uuid,
		"hash": func(text, algorithm string) string {
			newHash, ok := hashes[algorithm]
			if !ok {
				panic(vm.NewGoError(errors.New("the algorithm of $hash must be MD5, SHA-1, SHA-256, SHA-384 or SHA-512")))
			}
			h := newHash()
			h.Write([]byte(text))
			return hex.EncodeToString(h.Sum(nil))
		},
		"random": func(seed goja.Value) float64 {
			if goja.IsUndefined(seed) {
				return random()
			}
			return mathrand.New(mathrand.NewPCG(uint64(seed.ToInteger()), 0)).Float64() //nolint:gosec // $random is not for secrets.
		},
	}
}

// randomUUID returns a version 4 UUID.
func randomUUID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never returns an error: it ends the program instead.
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (m *machine) check(text string) error {
	v, err := m.checkFn(goja.Undefined(), m.vm.ToValue(text))
	if err != nil {
		return translate(err)
	}
	if goja.IsNull(v) {
		return nil
	}
	parts, _ := v.Export().([]any)
	return described(parts)
}

// outcome is what the promise of an evaluation came to.
type outcome struct {
	settled bool
	result  json.RawMessage
	err     error
}

func (m *machine) evaluate(text string, bindings map[string]json.RawMessage) (json.RawMessage, error) {
	names, values := m.arguments(bindings)
	var end outcome
	done := func(call goja.FunctionCall) goja.Value {
		end.settled = true
		if v := call.Argument(0); !goja.IsUndefined(v) {
			end.result = json.RawMessage(v.String())
		}
		return goja.Undefined()
	}
	failed := func(call goja.FunctionCall) goja.Value {
		end = outcome{settled: true, err: described([]any{call.Argument(0).String(), call.Argument(1).String()})}
		return goja.Undefined()
	}
	// Nothing in an expression waits for the outside, so the promise is settled when the call returns.
	_, err := m.evaluateFn(goja.Undefined(), m.vm.ToValue(text), names, values, m.vm.ToValue(done), m.vm.ToValue(failed))
	if err != nil {
		return nil, translate(err)
	}
	if !end.settled {
		return nil, errors.New("the expression did not come to an end")
	}
	return end.result, end.err
}

func (m *machine) arguments(bindings map[string]json.RawMessage) (names, values goja.Value) {
	keys := make([]string, 0, len(bindings))
	for name := range bindings {
		keys = append(keys, name)
	}
	slices.Sort(keys)
	texts := make([]any, len(keys))
	labels := make([]any, len(keys))
	for i, name := range keys {
		labels[i], texts[i] = name, string(bindings[name])
	}
	return m.vm.NewArray(labels...), m.vm.NewArray(texts...)
}

// described turns the code and message of a failure into an error.
func described(parts []any) error {
	if len(parts) != 2 {
		return errors.New("the expression failed")
	}
	code, _ := parts[0].(string)
	message, _ := parts[1].(string)
	switch {
	case code == "UNSUPPORTED":
		return asl.ErrUnsupportedResult
	case strings.Contains(message, "Maximum call stack size exceeded"):
		return ErrDepth
	case code == "":
		return errors.New(message)
	}
	return fmt.Errorf("%s: %s", code, message)
}

// translate names the failures of the virtual machine itself.
func translate(err error) error {
	var overflow *goja.StackOverflowError
	if errors.As(err, &overflow) {
		return ErrDepth
	}
	return fmt.Errorf("run jsonata: %w", err)
}

const (
	// memoryGrace is how long an evaluation runs before its memory is looked at: nearly all are over by then.
	memoryGrace    = 10 * time.Millisecond
	memoryInterval = 2 * time.Millisecond
)

// guard interrupts the machine when the context's time is up or the heap has grown too far, and returns why. It returns
// nil when the context is cancelled first, which is how an evaluation ends in time.
func (m *machine) guard(ctx context.Context, most uint64) error {
	tick := time.NewTimer(memoryGrace)
	defer tick.Stop()
	var before uint64
	for {
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return m.interrupt(ErrTimeout)
			}
			return nil
		case <-tick.C:
			now := heapBytes()
			if before == 0 {
				before = now
			}
			if now > before+most {
				return m.interrupt(ErrMemory)
			}
			tick.Reset(memoryInterval)
		}
	}
}

func (m *machine) interrupt(reason error) error {
	m.vm.Interrupt(reason)
	return reason
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
