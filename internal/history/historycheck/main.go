// Command historycheck checks a recorded history again: historycheck FILE. It exits with 1 where anything is wrong. What porcupine does not decide in time is not: the linear pass decides all.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/writ-trust/writ/internal/history"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: historycheck FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	h, err := history.Read(file)
	if err != nil {
		return err
	}
	r := history.CheckWindows(h, 2*time.Second)
	fmt.Println(r)
	for _, p := range r.Problems {
		fmt.Println(p)
	}
	if len(r.Problems) > 0 {
		return fmt.Errorf("%d problems", len(r.Problems))
	}
	return nil
}
