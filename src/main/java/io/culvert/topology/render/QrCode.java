package io.culvert.topology.render;

import com.google.zxing.WriterException;
import com.google.zxing.qrcode.decoder.ErrorCorrectionLevel;
import com.google.zxing.qrcode.encoder.ByteMatrix;
import com.google.zxing.qrcode.encoder.Encoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/** A text as a QR code, for the camera of a phone. */
public final class QrCode {

    /** The light border that readers need (ISO/IEC 18004). */
    private static final int BORDER = 4;

    /** What the largest code holds at the lowest correction (ISO/IEC 18004, table 7). */
    private static final int MOST_BYTES = 2953;

    private final ByteMatrix modules;

    private QrCode(ByteMatrix modules) {
        this.modules = modules;
    }

    /** Empty where the text is too long for one. */
    public static Optional<QrCode> of(String text) {
        if (text.getBytes(StandardCharsets.UTF_8).length > MOST_BYTES) {
            return Optional.empty();
        }
        try {
            return Optional.of(
                    new QrCode(Encoder.encode(text, ErrorCorrectionLevel.L).getMatrix()));
        } catch (WriterException _) {
            return Optional.empty();
        }
    }

    /** In modules, with the border. */
    int side() {
        return modules.getWidth() + 2 * BORDER;
    }

    /** Whether a module is dark; the border is light. */
    boolean dark(int x, int y) {
        int column = x - BORDER;
        int row = y - BORDER;
        return column >= 0
                && row >= 0
                && column < modules.getWidth()
                && row < modules.getHeight()
                && modules.get(column, row) == 1;
    }

    /**
     * Lines of half blocks, two modules one above the other in each character. The light ones are drawn, as terminals
     * are dark.
     *
     * @param colour whether to say so to the terminal; then it is right on light ones, too
     */
    public String blocks(boolean colour) {
        StringBuilder text = new StringBuilder();
        for (int y = 0; y < side(); y += 2) {
            text.append(colour ? "\u001b[97;40m" : "");
            for (int x = 0; x < side(); x++) {
                boolean above = !dark(x, y);
                boolean below = y + 1 < side() && !dark(x, y + 1);
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
                if (dark(x, y)) {
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

    /** @param scale pixels for each module */
    public byte[] png(int scale) {
        return Png.of(side() * scale, (x, y) -> dark(x / scale, y / scale));
    }
}
