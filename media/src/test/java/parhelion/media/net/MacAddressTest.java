package parhelion.media.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class MacAddressTest {
  @Test
  void addressesAreReadAndWrittenAsUsual() {
    MacAddress mac = MacAddress.parse("00:16:3E:aB:01:fF");
    assertEquals("00:16:3e:ab:01:ff", mac.toString());
    assertEquals(mac, MacAddress.of(new byte[] {9, 0, 0x16, 0x3e, (byte) 0xab, 1, -1, 9}, 1));
    for (String wrong :
        new String[] {"", "00:16:3e:ab:01", "00:16:3e:ab:01:ff:00", "00-16-3e-ab-01-ff", "x"}) {
      assertThrows(IllegalArgumentException.class, () -> MacAddress.parse(wrong), wrong);
    }
  }

  @Test
  void addressesOfDevicesAreXensAndDiffer() {
    assertEquals("00:16:3e:00:07:02", MacAddress.ofDevice(7, 2).toString());
    MacAddress random = MacAddress.random(new Random(5));
    assertTrue(random.toString().startsWith("00:16:3e:"), random::toString);
    assertFalse(random.isGroup());
    assertTrue(MacAddress.BROADCAST.isGroup());
  }
}
