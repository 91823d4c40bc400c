// SPDX-License-Identifier: Apache-2.0

//go:build ignore

// Tailscale's programs as one, which share most of their code: it acts as the program by whose name it is started. It is built as
// tailscale.com/cmd/tailscaled, which tailscaled derives the names of its files from (tailscale: version/cmdname.go).
package main

import (
	"os"
	"path/filepath"

	"tailscale.com/cmd/containerboot"
	"tailscale.com/cmd/tailscaled/daemon"
)

func main() {
	if filepath.Base(os.Args[0]) == "containerboot" {
		containerboot.Main()
	} else {
		// It also acts as 'tailscale' by that name.
		daemon.Main()
	}
}
