import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.ExponentialBackoff;
import org.apache.kafka.common.utils.Utils;

/**
 * What Kafka's own Java client computes, for comparison: murmur2, the partition of a key, and the delays of retries.
 *
 * <pre>java -cp "$(echo ~/.cache/kafka-in-rust/kafka-*&#47;libs)/*" Golden.java keys > keys.tsv
 * java -cp … Golden.java backoff > backoff.tsv</pre>
 */
public class Golden {
    public static void main(String[] arguments) {
        switch (arguments.length == 1 ? arguments[0] : "") {
            case "keys" -> keys();
            case "backoff" -> backoff();
            default -> {
                System.err.println("say keys or backoff");
                System.exit(2);
            }
        }
    }

    static final int[] PARTITIONS = {1, 2, 3, 6, 12, 50, 997};

    /** The key in hexadecimal, murmur2 as Java's int, and the partition for each number of partitions. */
    static void keys() {
        List<String> heads = new ArrayList<>(List.of("# key", "murmur2"));
        Arrays.stream(PARTITIONS).forEach(n -> heads.add("of " + n));
        System.out.println(String.join("\t", heads));
        System.out.println("null\t" + hashOfNull());
        for (byte[] key : inputs()) {
            List<String> row = new ArrayList<>();
            row.add(HexFormat.of().formatHex(key));
            row.add(Integer.toString(Utils.murmur2(key)));
            for (int n : PARTITIONS) {
                row.add(Integer.toString(BuiltInPartitioner.partitionForKey(key, n)));
            }
            System.out.println(String.join("\t", row));
        }
    }

    /** A record without a key is never hashed: the producer asks for its sticky partition before. */
    static String hashOfNull() {
        try {
            return Integer.toString(Utils.murmur2(null));
        } catch (NullPointerException none) {
            return "none";
        }
    }

    static List<byte[]> inputs() {
        List<byte[]> keys = new ArrayList<>();
        for (String text : new String[] {
            "", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "order-1", "order-17",
            "019ca7a4-3b00-7c1e-9d5b-2f60a1c4e8b7", "\u00fcber", "\u20ac", "\u6ce8\u6587", "\ud83d\udce6",
            "a\u0000b", " ", "\n", "21", "foobar", "a-little-bit-long-string", "x".repeat(255), "x".repeat(256),
            "long ".repeat(200)
        }) {
            keys.add(text.getBytes(StandardCharsets.UTF_8));
        }
        // Bytes above 127 are negative in Java, in each place of a word and of the one to three bytes after it.
        for (int length = 1; length <= 9; length++) {
            byte[] high = new byte[length];
            Arrays.fill(high, (byte) 0xff);
            keys.add(high);
            for (int at = 0; at < length; at++) {
                byte[] one = new byte[length];
                one[at] = (byte) (0x80 + 17 * at);
                keys.add(one);
            }
        }
        // Every single byte, and numbers as Java's LongSerializer writes them.
        for (int b = 0; b < 256; b++) {
            keys.add(new byte[] {(byte) b});
        }
        for (long n : new long[] {0, 1, -1, 1031, Long.MIN_VALUE, Long.MAX_VALUE}) {
            keys.add(java.nio.ByteBuffer.allocate(8).putLong(n).array());
        }
        for (int n = 1; n <= 200; n++) {
            keys.add(("customer-" + n).getBytes(StandardCharsets.UTF_8));
        }
        return keys;
    }

    /** Initial and longest delay, how many times it failed, then the delay without jitter and its bounds with it. */
    static void backoff() {
        System.out.println("# first\tlongest\tfailed\tdelay\tat least\tat most");
        int base = CommonClientConfigs.RETRY_BACKOFF_EXP_BASE;
        double jitter = CommonClientConfigs.RETRY_BACKOFF_JITTER;
        for (long[] pair : new long[][] {
            {100, 1000}, {50, 400}, {1, 1}, {200, 100}, {100, 100}, {1, 300000}, {250, 60000}
        }) {
            ExponentialBackoff still = new ExponentialBackoff(pair[0], base, pair[1], 0.0);
            ExponentialBackoff shaken = new ExponentialBackoff(pair[0], base, pair[1], jitter);
            for (int failed = 1; failed <= 12; failed++) {
                // As RecordAccumulator asks: backoff(attempts() - 1), where attempts() counts the failures.
                long least = Long.MAX_VALUE;
                long most = 0;
                for (int draw = 0; draw < 20000; draw++) {
                    long delay = shaken.backoff(failed - 1);
                    least = Math.min(least, delay);
                    most = Math.max(most, delay);
                }
                System.out.println(pair[0] + "\t" + pair[1] + "\t" + failed + "\t" + still.backoff(failed - 1)
                    + "\t" + least + "\t" + most);
            }
        }
    }
}
