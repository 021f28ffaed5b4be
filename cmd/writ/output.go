package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/writ-trust/writ/internal/jcs"
)

// printJSON writes a value of Writ, or a struct of this command, as one indented object.
func printJSON(w io.Writer, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = out.WriteTo(w)
	return err
}

// printLine writes a value as one line of JSON.
func printLine(w io.Writer, v any) error {
	data, err := encode(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}

// encode keeps documents in their own form: what package spec writes is written by its rules, the rest by the standard library.
func encode(v any) ([]byte, error) {
	if value, ok := v.(jcs.Value); ok {
		return value.Canonical(), nil
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// table prints rows with aligned columns; the last column is not padded.
func table(w io.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-len([]rune(cell))+2))
			}
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
}

// isTerminal says whether people look at w.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// widthOf is how many columns people see of w; zero where it is no terminal.
func widthOf(w any) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// wrap breaks a line at spaces so that each row fits into width columns behind its indent: first of the first row, hanging of those
// that follow, by which they are indented further here. Words are never broken, so that what is copied stays whole.
func wrap(line string, width, first, hanging int) []string {
	var rows []string
	indent := ""
	for room := width - first; width > 0 && len([]rune(line)) > max(room, leastRoom); room = width - hanging {
		cut := breakAt([]rune(line), max(room, leastRoom))
		if cut < 0 {
			break
		}
		runes := []rune(line)
		rows = append(rows, indent+strings.TrimRight(string(runes[:cut]), " "))
		line = strings.TrimLeft(string(runes[cut:]), " ")
		indent = strings.Repeat(" ", hanging-first)
	}
	return append(rows, indent+line)
}

// leastRoom is where a terminal is too narrow for wrapping to help, in columns.
const leastRoom = 20

// breakAt is the last space within room, else the first after it; -1 where there is none. Spaces at the beginning of a line are its
// own indent.
func breakAt(line []rune, room int) int {
	begin := 0
	for begin < len(line) && line[begin] == ' ' {
		begin++
	}
	for i := min(room, len(line)-1); i > begin; i-- {
		if line[i] == ' ' {
			return i
		}
	}
	for i := max(room, begin); i < len(line); i++ {
		if line[i] == ' ' {
			return i
		}
	}
	return -1
}

// readInput reads a file, or standard input for "-".
func readInput(sys *system, path string, limit int64) ([]byte, error) {
	from := io.Reader(sys.in)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		from = f
	}
	data, err := io.ReadAll(io.LimitReader(from, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, limit)
	}
	return data, nil
}

// valueOf is the value of a content that is written down with maps.
func valueOf(v any) (jcs.Value, error) {
	data, err := encode(v)
	if err != nil {
		return jcs.Value{}, err
	}
	return jcs.ParseDocument(data)
}
