// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/runbook"
)

var (
	gameSeed  = flag.Uint64("game.seed", 0, "play only the game of this seed: go test ./internal/scenario -run 'TestGame$' -game.seed N")
	gameMoves = flag.Int("game.moves", tamperMoves, "how many moves the attacker makes with -game.seed and in the soak")
	gameCount = flag.Int("game.count", 1000, "how many games the soak plays")
	gameFirst = flag.Uint64("game.first", 1, "the first seed of the soak")
)

// With every change of the code, short games are played for so long; each is of the soak's, with fewer moves.
const (
	shortGame  = 10
	shortGames = 9 * time.Second
	maxGames   = 40
)

// An attacker makes moves against the trail, what it depends on and us, while others go about their work; events come late,
// twice, in another order or not at all. At the end coverage is on, everything is as its baseline says or a person was told
// that it is not, and nothing of ours was done that undid no move.
func TestGame(t *testing.T) {
	books := builtIn(t)
	if *gameSeed != 0 {
		playSeed(t, books, *gameSeed, *gameMoves)
		return
	}
	for seed, began := uint64(1), time.Now(); seed <= maxGames && time.Since(began) < shortGames; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { playSeed(t, books, seed, shortGame) })
	}
}

// TestGameSoak plays a thousand games of fifty moves, with SWITCHBACK_SOAK=1; -game.first and -game.count say which others.
func TestGameSoak(t *testing.T) {
	if os.Getenv("SWITCHBACK_SOAK") == "" {
		t.Skip("set SWITCHBACK_SOAK=1 to play a thousand games")
	}
	books := builtIn(t)
	for i := range *gameCount {
		seed := *gameFirst + uint64(i)
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			playSeed(t, books, seed, *gameMoves)
		})
	}
}

func playSeed(t *testing.T, books []*runbook.Runbook, seed uint64, count int) {
	t.Helper()
	moves := draw(seed, count)
	problems, told := playGame(t, books, seed, moves)
	t.Log(told)
	if len(problems) == 0 {
		return
	}
	moves = shrink(moves, func(fewer []turn) bool {
		found, _ := playGame(t, books, seed, fewer)
		return len(found) > 0
	})
	least, _ := playGame(t, books, seed, moves)
	var b strings.Builder
	for _, m := range moves {
		fmt.Fprintf(&b, "  %s\n", m)
	}
	t.Errorf("%s\nwith only these moves: %s\n%splay it again: go test ./internal/scenario -run 'TestGame$' -game.seed %d -game.moves %d", strings.Join(problems, "\n  "), strings.Join(least, "\n  "), b.String(), seed, count)
}

// maxShrinks bounds how often a failed game is played again.
const maxShrinks = 80

// shrink leaves out moves as long as the game still fails without them.
func shrink(moves []turn, fails func([]turn) bool) []turn {
	plays := 0
	for size := len(moves) / 2; size >= 1; size /= 2 {
		for i := 0; i < len(moves) && plays < maxShrinks; {
			fewer := slices.Delete(slices.Clone(moves), i, min(i+size, len(moves)))
			if plays++; fails(fewer) {
				moves = fewer
				continue
			}
			i += size
		}
	}
	return moves
}

func TestShrink(t *testing.T) {
	var moves []turn
	for i := range 20 {
		moves = append(moves, turn{at: time.Duration(i)})
	}
	got := shrink(moves, func(m []turn) bool {
		has := func(at time.Duration) bool { return slices.ContainsFunc(m, func(t turn) bool { return t.at == at }) }
		return has(3) && has(17)
	})
	if len(got) != 2 || got[0].at != 3 || got[1].at != 17 {
		t.Errorf("shrink = %v, want the moves 3 and 17", got)
	}
}
