// Command table prints what the tests wrote to the file of TORTURE_TABLE, as one
// table.
package main

import (
	"fmt"
	"os"

	"frontdesk/internal/testdesk"
)

func main() {
	text, err := testdesk.Table(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(text)
}
