/** Programs that can reach nothing but a tunnel: their namespace, who keeps it, and how a program gets into it. */
@NullMarked
package io.culvert.confinement;

import org.jspecify.annotations.NullMarked;
