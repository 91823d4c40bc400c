// SPDX-License-Identifier: Apache-2.0

// The command culvert of an image with a JVM: it replaces itself with the JVM, as the image has no shell for a script.
package main

import (
	"fmt"
	"os"
	"syscall"
)

const java = "/opt/java/bin/java"

func main() {
	arguments := []string{
		java,
		"--enable-native-access=ALL-UNNAMED",
		"--sun-misc-unsafe-memory-access=allow",
		"-XX:+UseSerialGC",
		"-XX:TieredStopAtLevel=1",
		// A small nursery for new objects, all of which stays resident once it was used.
		"-Xmn3m",
		"-XX:-UsePerfData",
		"-XX:AOTCache=/work/culvert.aot",
		"-Xlog:aot=off",
		"-Xlog:cds=off",
		// JNA's native library is in the image. Otherwise JNA would unpack it into a temporary directory, which may be missing.
		"-Djna.boot.library.path=/work",
		"-Djna.nounpack=true",
		"-Djna.platform.library.path=/usr/lib/x86_64-linux-gnu:/usr/lib/aarch64-linux-gnu",
		"-cp", "/work/quarkus-run.jar",
		"io.culvert.cli.Main",
	}
	err := syscall.Exec(java, append(arguments, os.Args[1:]...), os.Environ())
	fmt.Fprintf(os.Stderr, "culvert: cannot run %s: %v\n", java, err)
	os.Exit(1)
}
