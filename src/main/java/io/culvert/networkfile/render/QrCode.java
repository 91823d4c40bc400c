// SPDX-License-Identifier: Apache-2.0
package io.culvert.networkfile.render;

import com.google.zxing.WriterException;
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel;
import com.google.zxing.qrcode.encoder.ByteMatrix;
import com.google.zxing.qrcode.encoder.Encoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** Encodes a text as a QR code. */
public final class QrCode {

    /** The width of the quiet zone that readers need (ISO/IEC 18004). */
    private static final int BORDER = 4;

    /** The capacity of the largest code with the lowest error correction (ISO/IEC 18004, table 7). */
    private static final int MAX_BYTES = 2953;

    private final ByteMatrix modules;

    private QrCode(ByteMatrix modules) {
        this.modules = modules;
    }

    /** Encodes a text; empty if it is too long. */
    public static Optional<QrCode> of(String text) {
        if (text.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new QrCode(Encoder.encode(text, ErrorCorrectionLevel.L).getMatrix()));
        } catch (WriterException _) {
            return Optional.empty();
        }
    }

    /** Returns the width in modules, including the quiet zone. */
    int side() {
        return modules.getWidth() + 2 * BORDER;
    }

    /** Returns whether a module is dark; the quiet zone is light. */
    boolean isDark(int x, int y) {
        int column = x - BORDER;
        int row = y - BORDER;
        return column >= 0
                && row >= 0
                && column < modules.getWidth()
                && row < modules.getHeight()
                && modules.get(column, row) == 1;
    }

    /**
     * Renders it with half block characters, each of which shows two modules. The light modules are drawn, as most
     * terminals are dark.
     *
     * @param colour whether to set the colours with escape sequences, which makes it work on light terminals, too
     */
    public String blocks(boolean colour) {
        StringBuilder text = new StringBuilder();
        for (int y = 0; y < side(); y += 2) {
            text.append(colour ? "\u001b[97;40m" : "");
            for (int x = 0; x < side(); x++) {
                boolean above = !isDark(x, y);
                boolean below = y + 1 < side() && !isDark(x, y + 1);
                text.append(above ? (below ? '█' : '▀') : below ? '▄' : ' ');
            }
            text.append(colour ? "\u001b[0m\n" : "\n");
        }
        return text.toString();
    }

    public String svg() {
        StringBuilder path = new StringBuilder();
        for (int y = 0; y < side(); y++) {
            for (int x = 0; x < side(); x++) {
                if (isDark(x, y)) {
                    path.append('M').append(x).append(' ').append(y).append("h1v1h-1z");
                }
            }
        }
        return String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %1$d %1$d\" shape-rendering=\"crispEdges\">"
                        + "<rect width=\"%1$d\" height=\"%1$d\" fill=\"#fff\"/><path d=\"%2$s\"/></svg>%n",
                side(),
                path);
    }

    /**
     * Renders it as PNG.
     *
     * @param scale pixels per module
     */
    public byte[] png(int scale) {
        return Png.of(side() * scale, (x, y) -> isDark(x / scale, y / scale));
    }
}
