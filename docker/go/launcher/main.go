// The command culvert of an image in which a JVM runs the program: it becomes that JVM. There is no shell that could.
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
		"-XX:-UsePerfData",
		"-XX:AOTCache=/work/culvert.aot",
		"-Xlog:aot=off",
		"-Xlog:cds=off",
		// JNA's own library lies in the image: it would unpack it into a directory for temporary files, which may be missing.
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
