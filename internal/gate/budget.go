// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// ClassRestore begins the classes of actions that put coverage or protection back: "restore-trail", "restore-bucket".
const ClassRestore = "restore"

// Budget limits mutations in sliding windows, per account and class, and per actor, account and class: an attacker who makes
// us act without end must not turn us into his tool. Counts are kept in this process.
type Budget struct {
	// Window is 10 minutes by default.
	Window time.Duration
	// Limit per account and class is 60 by default; negative is no limit.
	Limit int
	// Reserve is the limit of the Restoring classes, 600 by default: what CloudTrail's own quota of one change a second
	// lets through in one region. Negative is no limit. Nothing else draws from it, so that burning other budgets does
	// not keep a trail off.
	Reserve int
	// Restoring are the classes that put coverage back; nil is ClassRestore and every class that begins with it and a
	// hyphen.
	Restoring []string
	// PerActor limits the mutations of one class and account that one Scope.Actor can cause within ActorWindow; 0 is 30,
	// negative is no such limit. The Restoring classes have none: whoever weakens a trail often enough must not be the one
	// who decides that it stays off.
	PerActor int
	// ActorWindow is an hour by default.
	ActorWindow time.Duration
}

func (b Budget) withDefaults() Budget {
	if b.Window <= 0 {
		b.Window = 10 * time.Minute
	}
	if b.Limit == 0 {
		b.Limit = 60
	}
	if b.Reserve == 0 {
		b.Reserve = 600
	}
	if b.PerActor == 0 {
		b.PerActor = 30
	}
	if b.ActorWindow <= 0 {
		b.ActorWindow = time.Hour
	}
	return b
}

func (b Budget) isRestoring(class string) bool {
	if b.Restoring == nil {
		return class == ClassRestore || strings.HasPrefix(class, ClassRestore+"-")
	}
	return slices.Contains(b.Restoring, class)
}

// budgetKey with an actor counts for Budget.PerActor.
type budgetKey struct{ account, class, actor string }

type budget struct {
	limits Budget
	mu     sync.Mutex
	spent  map[budgetKey][]time.Time // ascending, none older than the window
}

func newBudget(b Budget) budget {
	return budget{limits: b.withDefaults(), spent: map[budgetKey][]time.Time{}}
}

// spend counts one mutation, or returns ErrBudget and counts nothing.
func (b *budget) spend(now time.Time, c *Call) error {
	limit := b.limits.Limit
	isRestoring := b.limits.isRestoring(c.Class)
	if isRestoring {
		limit = b.limits.Reserve
	}
	class := budgetKey{account: c.Account, class: c.Class}
	actor := budgetKey{account: c.Account, class: c.Class, actor: c.Actor}
	perActor := !isRestoring && b.limits.PerActor > 0 && c.Actor != ""

	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.check(now, class, limit); err != nil {
		return err
	}
	if perActor {
		if err := b.check(now, actor, b.limits.PerActor); err != nil {
			return err
		}
		b.spent[actor] = append(b.spent[actor], now)
	}
	if limit >= 0 {
		b.spent[class] = append(b.spent[class], now)
	}
	return nil
}

func (b *budget) window(k budgetKey) time.Duration {
	if k.actor != "" {
		return b.limits.ActorWindow
	}
	return b.limits.Window
}

func (b *budget) check(now time.Time, k budgetKey, limit int) error {
	if limit < 0 {
		return nil
	}
	left := b.trim(now, k)
	if len(left) < limit {
		return nil
	}
	who := ""
	if k.actor != "" {
		who = fmt.Sprintf(" caused by %.200q", k.actor)
	}
	if limit == 0 {
		return fmt.Errorf("%w: none is allowed", ErrBudget)
	}
	return fmt.Errorf("%w: %d changes of class %q in account %s%s within %s; the next at %s", ErrBudget, limit, k.class,
		k.account, who, b.window(k), left[0].Add(b.window(k)).UTC().Format(time.RFC3339))
}

// trim forgets what has left the window. Keys made of actors are the attacker's, so empty ones do not stay.
func (b *budget) trim(now time.Time, k budgetKey) []time.Time {
	if len(b.spent) > maxBudgetKeys {
		for other := range b.spent {
			b.trimKey(now, other)
		}
	}
	return b.trimKey(now, k)
}

const maxBudgetKeys = 4096

func (b *budget) trimKey(now time.Time, k budgetKey) []time.Time {
	times := b.spent[k]
	start := now.Add(-b.window(k))
	n := 0
	for n < len(times) && !times[n].After(start) {
		n++
	}
	times = slices.Delete(times, 0, n)
	if len(times) == 0 {
		delete(b.spent, k)
		return nil
	}
	b.spent[k] = times
	return times
}
