// SPDX-License-Identifier: Apache-2.0
/** The command line: commands, output and exit statuses. */
@NullMarked
package io.culvert.cli;

import org.jspecify.annotations.NullMarked;
