// SPDX-License-Identifier: Apache-2.0
package io.culvert.wireguard.config;

import io.culvert.wireguard.config.FileProblem.Reason;
import io.culvert.wireguard.config.FileProblem.Reason.Plain;
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

/** Reads a file as text, or reports why it cannot. */
final class FileBytes {

    /** One mebibyte: a provider's file has about a kilobyte. */
    static final int LIMIT = 1 << 20;

    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private final Path file;
    private final FileProblems report;

    FileBytes(Path file, FileProblems report) {
        this.file = file;
        this.report = report;
    }

    /** Returns the text, decoded as UTF-8 or, with a byte order mark, as UTF-16; empty where an error was reported. */
    Optional<String> text() {
        if (Files.isDirectory(file)) {
            report.error(Plain.DIRECTORY);
            return Optional.empty();
        }
        byte[] bytes;
        try (InputStream in = Files.newInputStream(file)) {
            bytes = in.readNBytes(LIMIT + 1);
        } catch (NoSuchFileException _) {
            report.error(Plain.FILE_NOT_FOUND);
            return Optional.empty();
        } catch (AccessDeniedException _) {
            report.error(Plain.PERMISSION_DENIED);
            return Optional.empty();
        } catch (IOException e) {
            report.error(new Reason.Unreadable(String.valueOf(e.getMessage())));
            return Optional.empty();
        }
        if (bytes.length > LIMIT) {
            report.error(Plain.TOO_LARGE);
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
            report.note(new Reason.InvalidCharacters(charset));
            text = new String(bytes, charset);
        }
        if (text.indexOf('\0') >= 0) {
            report.error(Plain.BINARY);
            return Optional.empty();
        }
        if (!charset.equals(StandardCharsets.UTF_8)) {
            report.note(new Reason.OtherEncoding(charset));
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

    /** Returns whether the text begins with a byte order mark, which only UTF-16 needs. */
    static boolean startsWithByteOrderMark(String text) {
        return text.indexOf(BYTE_ORDER_MARK) == 0;
    }
}
