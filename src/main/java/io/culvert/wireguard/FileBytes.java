package io.culvert.wireguard;

import io.culvert.problem.Hints;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/** Brings a file into memory as text, or says why not. */
final class FileBytes {

    /** A megabyte is a thousand times what a provider's file has. */
    static final int LIMIT = 1 << 20;

    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Path file;
    private final Report report;

    FileBytes(Path file, Report report) {
        this.file = file;
        this.report = report;
    }

    /** The text, in UTF-8 or, where a byte order mark says so, UTF-16; empty where a problem was reported. */
    Optional<String> text() {
        if (Files.isDirectory(file)) {
            report.error("this is a directory", "name a file in it");
            return Optional.empty();
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(LIMIT + 1);
        } catch (NoSuchFileException _) {
            report.error("there is no such file", Hints.here().missingFile());
            return Optional.empty();
        } catch (AccessDeniedException _) {
            report.error("this file may not be read", "give the user who runs Culvert the right to read it");
            return Optional.empty();
        } catch (IOException e) {
            report.error("this file cannot be read: " + e.getMessage(), "check the disk and the mount");
            return Optional.empty();
        }
        if (bytes.length > LIMIT) {
            report.error("this file is larger than 1 MiB: it is no WireGuard file", "check the name");
            return Optional.empty();
        }
        return decode(bytes);
    }

    private Optional<String> decode(byte[] bytes) {
        Charset charset = charset(bytes);
        String text;
        try {
            text = charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException _) {
            report.note("some characters are not " + charset + ": they are read as '\uFFFD'");
            text = new String(bytes, charset);
        }
        if (text.indexOf('\0') >= 0) {
            report.error("this is a binary file", "name the text file that your provider offers for WireGuard");
            return Optional.empty();
        }
        if (!charset.equals(StandardCharsets.UTF_8)) {
            report.note("the text is in " + charset + ", which wg does not read");
            text = text.substring(1);
        }
        return Optional.of(text);
    }

    private static Charset charset(byte[] bytes) {
        int mark = bytes.length < 2 ? 0 : (bytes[0] & 0xff) << 8 | (bytes[1] & 0xff);
        return switch (mark) {
            case 0xfeff -> StandardCharsets.UTF_16BE;
            case 0xfffe -> StandardCharsets.UTF_16LE;
            default -> StandardCharsets.UTF_8;
        };
    }

    /** Whether the text begins with a byte order mark, which only UTF-16 needs. */
    static boolean startsWithMark(String text) {
        return text.indexOf(BYTE_ORDER_MARK) == 0;
    }
}
