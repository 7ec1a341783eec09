// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import "errors"

// maxGroupBytes bounds the items, and the results so far, of a Map or Parallel: more could never become an output.
const maxGroupBytes = 8 << 20

// How many iterations of a Map run at a time where MaxConcurrency says 0 or more than that. AWS caps an inline Map at 40;
// ours caps a distributed one so that a Run stays small.
const (
	maxInline      = 40
	maxDistributed = 1000
)

func (c *call) startParallel(t *thread) error {
	in, err := c.effective(t)
	if err != nil {
		return err
	}
	if !in.fits(MaxDataBytes) {
		return tooLarge(t.stateName)
	}
	c.record(t, "ParallelStateStarted", nil)
	n := len(t.state.branches)
	t.group = &group{limit: n, results: make([]*datum, n), tolerated: -1}
	// They are started one after the other; a branch that fails at once cuts off those that have not been.
	for i := range t.state.branches {
		t.group.children = append(t.group.children, c.child(t, i, in))
	}
	t.group.next = n
	t.phase = phaseGroup
	for i := n - 1; i >= 0; i-- {
		c.push(t.group.children[i])
	}
	if n == 0 {
		c.groupDone(t)
	}
	return nil
}

func (c *call) child(t *thread, index int, input *datum) *thread {
	s := t.state.childScope(index)
	return &thread{
		parent: t, scope: s, state: s.start, stateName: s.start.name, index: index, input: input,
		previous: t.previous, silent: t.silent || t.state.isDistributed(),
	}
}

func (c *call) startMap(t *thread) error {
	part := t.state.mapping
	in, err := c.filterPath(t, t.state.inputPath, t.input)
	if err != nil {
		return err
	}
	e := c.inputEnv(t, in)
	items, err := c.items(t, e, in)
	if err != nil {
		return err
	}
	if room(items, maxGroupBytes) < 0 {
		return tooLarge(t.stateName)
	}
	limit, err := part.concurrency.concurrency(e)
	if err != nil {
		return err
	}
	c.record(t, "MapStateStarted", func() []byte { return append(appendInt([]byte{'{'}, "length", int64(len(items))), '}') })
	g := &group{limit: part.limit(limit)}
	if g.tolerated, err = part.tolerance(e, len(items)); err != nil {
		return err
	}
	if part.distributed {
		c.record(t, "MapRunStarted", func() []byte {
			return append(appendText([]byte{'{'}, "mapRunArn", c.r.info.ID+"/"+t.stateName), '}')
		})
	}
	if items, err = c.batches(t, e, items); err != nil {
		return err
	}
	g.take(items)
	t.group, t.phase = g, phaseGroup
	if len(items) == 0 {
		c.groupDone(t)
		return nil
	}
	c.push(t)
	return nil
}

// take makes the group iterate over the items. Items is not nil even when there are none: that is what marks a Map.
func (g *group) take(items []any) {
	g.items = make([]*datum, 0, len(items))
	for _, item := range items {
		g.items = append(g.items, datumOf(item))
	}
	g.results = make([]*datum, len(items))
}

func (part *mapPart) limit(concurrency int64) int {
	most := int64(maxInline)
	if part.distributed {
		most = maxDistributed
	}
	if concurrency == 0 || concurrency > most {
		return int(most)
	}
	return int(concurrency)
}

// items returns what the Map iterates over.
func (c *call) items(t *thread, e *env, in *datum) ([]any, error) {
	part := t.state.mapping
	v := any(nil)
	if part.items == nil {
		v = in.value()
	} else {
		var err error
		if v, err = part.items.eval(e); err != nil {
			return nil, c.itemsFault(part, err)
		}
	}
	if items, ok := v.([]any); ok {
		return items, nil
	}
	switch {
	case !t.state.jsonata:
		field := "$"
		if f, ok := part.items.(*pathField); ok {
			field = f.path.text
		}
		return nil, runtimeFault("Reference path \"%s\" must point to array.", field)
	case part.items == nil:
		return nil, queryFault("", "Map state input must be an array but was: %s", clip(string(t.input.json())))
	}
	return nil, typeFault(part.items, "Items", "array", v)
}

// itemsFault rewrites a path that finds nothing: ItemsPath is a Reference Path with a message of its own.
func (c *call) itemsFault(part *mapPart, err error) error {
	p, ok := part.items.(*pathField)
	var f *fault
	if !ok || !errors.As(err, &f) {
		return err
	}
	rewritten := runtimeFault("Invalid path '%s' : %s", p.path.text, f.Cause)
	rewritten.alias = f.alias
	return rewritten
}

// startNext starts the next iteration of a Map, and comes again as long as there is room for one more.
func (c *call) startNext(t *thread) {
	g := t.group
	if g.next >= len(g.items) || len(g.children) >= g.limit {
		return
	}
	index := g.next
	input, err := c.iterationInput(t, index)
	if err == nil && !input.fits(MaxDataBytes) {
		err = tooLarge(t.stateName)
	}
	if err != nil {
		c.cutOff(t)
		c.failed(t, asFault(err))
		return
	}
	g.next++
	child := c.child(t, index, input)
	g.children = append(g.children, child)
	if !t.state.isDistributed() {
		child.previous = c.recordAside(t, "MapIterationStarted", t.previous, func() []byte { return iterationDetails(t, index) })
	}
	c.push(t)
	c.push(child)
}

// iterationInput applies ItemSelector to one item; batches have gone through it before.
func (c *call) iterationInput(t *thread, index int) (*datum, error) {
	part, item := t.state.mapping, t.group.items[index]
	if part.selector == nil || part.batch != nil {
		return item, nil
	}
	in, err := c.filterPath(t, t.state.inputPath, t.input)
	if err != nil {
		return nil, err
	}
	v, err := c.selectItem(t, c.inputEnv(t, in), index, item.value())
	return datumOf(v), err
}

// selectItem evaluates ItemSelector, which sees the item in the context object.
func (c *call) selectItem(t *thread, e *env, index int, item any) (any, error) {
	e.item = newObject("Index", intNumber(int64(index)), "Value", item, "Source", "STATE_DATA")
	return t.state.mapping.selector.eval(e)
}

// batches applies ItemBatcher: items become inputs {BatchInput, Items} of child executions.
func (c *call) batches(t *thread, e *env, items []any) ([]any, error) {
	batch := t.state.mapping.batch
	if batch == nil {
		return items, nil
	}
	maxItems, err := batch.maxItems.positive(e)
	if err != nil {
		return nil, err
	}
	maxBytes, err := batch.maxBytes.positive(e)
	if err != nil {
		return nil, err
	}
	var shared any
	if batch.input != nil {
		if shared, err = batch.input.eval(e); err != nil {
			return nil, err
		}
	}
	if items, err = c.selectAll(t, items); err != nil {
		return nil, err
	}
	b := batcher{maxItems: maxItems, maxBytes: maxBytes, shared: shared, hasShared: batch.input != nil}
	return b.split(items), nil
}

func (c *call) selectAll(t *thread, items []any) ([]any, error) {
	if t.state.mapping.selector == nil {
		return items, nil
	}
	in, err := c.filterPath(t, t.state.inputPath, t.input)
	if err != nil {
		return nil, err
	}
	selected := make([]any, len(items))
	left := maxGroupBytes
	for i, item := range items {
		if selected[i], err = c.selectItem(t, c.inputEnv(t, in), i, item); err != nil {
			return nil, err
		}
		if left = room(selected[i], left); left < 0 {
			return nil, tooLarge(t.stateName)
		}
	}
	return selected, nil
}

// batcher cuts items into batches by number and by size; zero means no bound.
type batcher struct {
	maxItems, maxBytes int64
	shared             any
	hasShared          bool
}

func (b *batcher) split(items []any) []any {
	var batches []any
	overhead := int64(len(encode(b.input(nil))))
	size := overhead
	start := 0
	for i, item := range items {
		length := int64(len(encode(item))) + 1
		full := b.maxItems > 0 && int64(i-start) >= b.maxItems || b.maxBytes > 0 && size+length > b.maxBytes
		if full && i > start {
			batches = append(batches, b.input(items[start:i]))
			start, size = i, overhead
		}
		size += length
	}
	if start < len(items) {
		batches = append(batches, b.input(items[start:]))
	}
	return batches
}

func (b *batcher) input(items []any) any {
	o := &object{}
	if b.hasShared {
		o.add("BatchInput", b.shared)
	}
	o.add("Items", append([]any{}, items...))
	return o
}

// childDone takes the output of a branch or an iteration.
func (c *call) childDone(t, child *thread) {
	g := t.group
	g.results[child.index] = child.input
	g.resultBytes += len(child.input.json())
	t.previous = child.previousFor(t)
	if t.state.kind == "Map" && !t.state.isDistributed() {
		g.lastDone = c.recordAside(t, "MapIterationSucceeded", t.previous, func() []byte { return iterationDetails(t, child.index) })
	}
	if g.resultBytes > maxGroupBytes {
		child.gone = true
		c.cutOffBut(t, child)
		c.failed(t, tooLarge(t.stateName))
		return
	}
	c.leave(t, child)
}

// previousFor returns what the events of the state around the child follow: the child's last event, or, where that is not
// part of the history, the state's own.
func (t *thread) previousFor(parent *thread) int64 {
	if t.silent {
		return parent.previous
	}
	return t.previous
}

// leave removes a child; the state goes on with the next iteration, or ends.
func (c *call) leave(t, child *thread) {
	g := t.group
	child.gone = true
	for i, other := range g.children {
		if other == child {
			g.children = append(g.children[:i], g.children[i+1:]...)
			break
		}
	}
	if len(g.children) == 0 && g.next >= len(g.results) {
		c.groupDone(t)
		return
	}
	if g.next < len(g.items) {
		c.push(t)
	}
}

// groupDone ends a Parallel or Map state whose children have all ended.
func (c *call) groupDone(t *thread) {
	g := t.group
	results := make([]any, 0, len(g.results))
	for _, d := range g.results {
		if d != nil {
			results = append(results, d.value())
		}
	}
	if t.state.isDistributed() {
		c.record(t, "MapRunSucceeded", nil)
	}
	last := t.previous
	if g.lastDone > 0 {
		last = g.lastDone
	}
	c.recordAside(t, t.state.kind+"StateSucceeded", last, nil)
	t.previous = last
	t.phase, t.group = phaseReady, nil
	if err := c.finish(t, datumOf(results)); err != nil {
		c.failed(t, asFault(err))
	}
}

// childFailed takes the failure of a branch or an iteration: it is tolerated, or it fails the state.
func (c *call) childFailed(t, child *thread, f *fault) {
	g := t.group
	t.previous = child.previousFor(t)
	if t.state.kind == "Map" && !t.state.isDistributed() {
		c.recordAside(t, "MapIterationFailed", t.previous, func() []byte { return iterationDetails(t, child.index) })
	}
	if g.tolerated >= 0 {
		if g.failures++; g.failures <= g.tolerated {
			c.leave(t, child)
			return
		}
		f = &fault{failure: Error{Name: ErrorToleratedThreshold, Cause: causeToleratedThreshold}, task: true}
	}
	child.gone = true
	c.cutOffBut(t, child)
	if t.state.isDistributed() {
		c.record(t, "MapRunFailed", func() []byte { return errorDetails(f.failure) })
	}
	if t.state.kind == "Parallel" {
		f.alias = ErrorBranchFailed
	}
	c.failed(t, f)
}

// cutOff ends the children that are still at work.
func (c *call) cutOff(t *thread) { c.cutOffBut(t, nil) }

func (c *call) cutOffBut(t, failed *thread) {
	for _, child := range t.group.children {
		if child == failed {
			continue
		}
		c.aborted(child)
		c.cancel(child)
		if t.state.kind == "Map" && !t.state.isDistributed() {
			c.recordAside(t, "MapIterationAborted", child.previous, func() []byte { return iterationDetails(t, child.index) })
		}
	}
	t.group.children = nil
}

// aborted writes the events of states that are cut off, innermost first. A state that was still to be entered has none.
func (c *call) aborted(t *thread) {
	if t.group != nil {
		c.cutOff(t)
	}
	if t.phase != phaseReady {
		c.record(t, t.state.kind+"StateAborted", nil)
	}
}
