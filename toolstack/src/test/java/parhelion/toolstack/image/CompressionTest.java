package parhelion.toolstack.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import parhelion.media.codec.GrowingBytes;

class CompressionTest {
  private static final int LIMIT = 64 << 20;

  private static byte[] unpack(byte[] packed, long size, int limit) throws IOException {
    Compression kind = Compression.of(packed, 0);
    return kind.unpack(packed, 0, packed.length, size, limit, "", Progress.NONE);
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"GZIP", "BZIP2", "LZMA", "XZ", "LZ4"})
  void whatALibraryPackedComesOutTheSame(Compression kind) throws IOException {
    byte[] data = Samples.data(200_000, 7);
    byte[] packed = Samples.pack(kind, data);
    assertEquals(kind, Compression.of(packed, 0));
    assertArrayEquals(data, unpack(packed, -1, LIMIT));
    assertArrayEquals(data, unpack(packed, data.length, LIMIT));
  }

  @ParameterizedTest
  @CsvSource({
    "sample-1.zst,ZSTD,300000",
    "sample-5.zst,ZSTD,100000",
    "sample-22.zst,ZSTD,100000",
    "sample-1.lzo,LZO,300000",
    "sample-9.lzo,LZO,100000"
  })
  void whatTheReferenceProgramsPackedComesOutTheSame(String name, Compression kind, int bytes)
      throws IOException {
    byte[] packed = Samples.fixture(name);
    assertEquals(kind, Compression.of(packed, 0));
    assertArrayEquals(Samples.data(bytes, 1), unpack(packed, -1, LIMIT));
    assertArrayEquals(Samples.data(bytes, 1), unpack(packed, bytes, LIMIT));
  }

  @Test
  void lz4BlocksOf8MiBAreJoinedWhetherTheSizeIsKnownOrNot() throws IOException {
    byte[] data = new byte[(16 << 20) + 12345];
    for (int at = 0; at < data.length; at += 100_000) {
      byte[] part = Samples.data(Math.min(3000, data.length - at), at);
      System.arraycopy(part, 0, data, at, part.length);
    }
    byte[] packed = Samples.pack(Compression.LZ4, data);
    assertArrayEquals(data, unpack(packed, data.length, LIMIT));
    assertArrayEquals(data, unpack(packed, -1, LIMIT));
  }

  @Test
  void severalZstdFramesAndSkippableOnesAreOneFile() throws IOException {
    byte[] frame = Samples.fixture("sample-5.zst");
    byte[] skippable = {0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 99, 99};
    byte[] packed = Arrays.copyOf(frame, 2 * frame.length + skippable.length);
    System.arraycopy(skippable, 0, packed, frame.length, skippable.length);
    System.arraycopy(frame, 0, packed, frame.length + skippable.length, frame.length);
    byte[] out = unpack(packed, -1, LIMIT);
    byte[] data = Samples.data(100_000, 1);
    assertEquals(200_000, out.length);
    assertArrayEquals(data, Arrays.copyOfRange(out, 100_000, 200_000));
  }

  @Test
  void aWrongZstdChecksumIsNoticed() {
    byte[] packed = Samples.fixture("sample-22.zst");
    packed[packed.length - 1] ^= 1;
    IOException e = assertThrows(IOException.class, () -> unpack(packed, -1, LIMIT));
    assertTrue(String.valueOf(e.getMessage()).contains("checksum"), e.getMessage());
  }

  private static List<byte[]> onePerFormat() {
    List<byte[]> all = new ArrayList<>();
    byte[] data = Samples.data(20_000, 3);
    for (Compression kind :
        List.of(
            Compression.GZIP,
            Compression.BZIP2,
            Compression.LZMA,
            Compression.XZ,
            Compression.LZ4)) {
      all.add(Samples.pack(kind, data));
    }
    all.add(Samples.fixture("sample-22.zst"));
    all.add(Samples.fixture("sample-9.lzo"));
    return all;
  }

  @Test
  void aBombIsStoppedAtTheLimit() {
    for (Compression kind : List.of(Compression.GZIP, Compression.BZIP2, Compression.XZ)) {
      byte[] bomb = Samples.pack(kind, new byte[20 << 20]);
      assertTrue(bomb.length < 100_000);
      IOException e = assertThrows(IOException.class, () -> unpack(bomb, -1, 1 << 20));
      assertTrue(String.valueOf(e.getMessage()).contains("1048576"), e.getMessage());
    }
    for (byte[] packed : onePerFormat()) {
      assertThrows(IOException.class, () -> unpack(packed, -1, 10_000));
      assertThrows(IOException.class, () -> unpack(packed, 10_000, LIMIT));
      assertThrows(IOException.class, () -> unpack(packed, 1L << 32, LIMIT));
    }
  }

  @Test
  void aSmallFileThatAnnouncesMuchDoesNotMakeUsAllocateMuch() {
    byte[] packed = Samples.pack(Compression.LZ4, new byte[1000]);
    IOException e = assertThrows(IOException.class, () -> unpack(packed, 1 << 29, 1 << 30));
    assertTrue(String.valueOf(e.getMessage()).contains("cannot hold"), e.getMessage());
    GrowingBytes growing = new GrowingBytes(1 << 30, 1 << 29, 100);
    assertTrue(growing.array.length <= 1 << 16);
  }

  @Test
  void everyTruncationIsRefused() {
    for (byte[] packed : onePerFormat()) {
      for (int length = 6; length < packed.length - 16; length += 97) {
        byte[] cut = Arrays.copyOf(packed, length);
        Compression kind = Compression.of(packed, 0);
        assertThrows(
            IOException.class,
            () -> kind.unpack(cut, 0, cut.length, -1, LIMIT, "", Progress.NONE),
            kind + " cut to " + length);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Compression.class,
      names = {"NONE"},
      mode = EnumSource.Mode.EXCLUDE)
  void damagedDataAreRefusedOrUnpackedButNothingElse(Compression kind) {
    byte[] packed =
        switch (kind) {
          case ZSTD -> Samples.fixture("sample-22.zst");
          case LZO -> Samples.fixture("sample-9.lzo");
          default -> Samples.pack(kind, Samples.data(4_000, 3));
        };
    int refused =
        Corruption.fuzz(
            packed,
            IOException.class,
            bad -> kind.unpack(bad, 0, bad.length, -1, 1 << 20, "", Progress.NONE));
    assertTrue(refused > Corruption.ROUNDS / 4, kind + " refused only " + refused);
  }
}
