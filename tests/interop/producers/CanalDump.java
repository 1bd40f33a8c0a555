// Canal's own embedded server on one log of a server: writes the messages that its Kafka producer
// would send.
//
//	java -cp 'jars/*' CanalDump.java PORT USER PASSWORD LOG-FILE LOG-OFFSET LAST-TABLE OUT
//
//	OUT/flat	with flatMessage=true, one a line
//	OUT/pb		with flatMessage=false, each after its length in four bytes, as
//			`kcat -f '%R%s'` dumps them
//	OUT/flat.N, OUT/pb.N
//			the same by partitions, where rows go by the hash of their key
//
// It ends with the batch that has an entry of a table of the name LAST-TABLE. What is ours is the
// loop that stands for the producer's sending, the rest is Canal's: the parser, the store, the
// conversion to FlatMessage, the partitions and the serializers.

import java.io.DataOutputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.alibaba.fastjson2.JSON;
import com.alibaba.fastjson2.JSONWriter;
import com.alibaba.otter.canal.connector.core.producer.MQMessageUtils;
import com.alibaba.otter.canal.connector.core.util.CanalMessageSerializerUtil;
import com.alibaba.otter.canal.instance.manager.CanalInstanceWithManager;
import com.alibaba.otter.canal.instance.manager.model.Canal;
import com.alibaba.otter.canal.instance.manager.model.CanalParameter;
import com.alibaba.otter.canal.protocol.ClientIdentity;
import com.alibaba.otter.canal.protocol.FlatMessage;
import com.alibaba.otter.canal.protocol.Message;
import com.alibaba.otter.canal.server.embedded.CanalServerWithEmbedded;
import org.slf4j.LoggerFactory;

class CanalDump {
	static final String NAME = "dump";
	static final String HASH = ".*\\..*:$pk$";
	static final int PARTITIONS = 3;

	static CanalParameter parameters(String[] args) {
		CanalParameter p = new CanalParameter();

		p.setSourcingType(CanalParameter.SourcingType.MYSQL);
		p.setMetaMode(CanalParameter.MetaMode.MEMORY);
		p.setIndexMode(CanalParameter.IndexMode.MEMORY);
		p.setStorageMode(CanalParameter.StorageMode.MEMORY);
		p.setHaMode(CanalParameter.HAMode.HEARTBEAT);
		p.setGroupDbAddresses(List.of(List.of(new CanalParameter.DataSourcing(
			CanalParameter.SourcingType.MYSQL,
			new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0]))))));
		p.setDbUsername(args[1]);
		p.setDbPassword(args[2]);
		p.setPositions(List.of("{\"journalName\":\"" + args[3] + "\",\"position\":" + args[4] + "}"));
		p.setSlaveId(1234L);
		p.setConnectionCharset("UTF-8");
		p.setConnectionCharsetNumber((byte) 33);
		p.setDetectingEnable(false);
		p.setTsdbEnable(false);
		return p;
	}

	static void append(String file, byte[] message, boolean flat) throws IOException {
		try (DataOutputStream out = new DataOutputStream(new FileOutputStream(file, true))) {
			if (!flat)
				out.writeInt(message.length);
			out.write(message);
			if (flat)
				out.write('\n');
		}
	}

	static byte[] text(FlatMessage f) {
		return JSON.toJSONBytes(f, JSONWriter.Feature.WriteNulls);
	}

	// True if the batch has an entry of the table.
	static boolean send(Message m, ThreadPoolExecutor pool, String last, String out) throws IOException {
		MQMessageUtils.EntryRowData[] data = MQMessageUtils.buildMessageData(m, pool);
		Message[] parts = MQMessageUtils.messagePartition(data, m.getId(), PARTITIONS, HASH, false);
		boolean found = false;

		append(out + "/pb", CanalMessageSerializerUtil.serializer(m, true), false);
		for (int i = 0; i < parts.length; i++) {
			if (parts[i] != null)
				append(out + "/pb." + i, CanalMessageSerializerUtil.serializer(parts[i], true), false);
		}
		for (FlatMessage f : MQMessageUtils.messageConverter(data, m.getId())) {
			FlatMessage[] flat = MQMessageUtils.messagePartition(f, PARTITIONS, HASH, false);

			append(out + "/flat", text(f), true);
			for (int i = 0; i < flat.length; i++) {
				if (flat[i] != null)
					append(out + "/flat." + i, text(flat[i]), true);
			}
			found |= last.equals(f.getTable());
		}
		return found;
	}

	public static void main(String[] args) throws Exception {
		ThreadPoolExecutor pool = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS,
			new LinkedBlockingQueue<>());
		CanalServerWithEmbedded server = CanalServerWithEmbedded.instance();
		ClientIdentity client = new ClientIdentity(NAME, (short) 1001, ".*\\..*");
		Canal canal = new Canal();
		boolean last = false;

		((Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME)).setLevel(Level.WARN);
		canal.setId(1L);
		canal.setName(NAME);
		canal.setCanalParameter(parameters(args));
		server.setCanalInstanceGenerator(name -> new CanalInstanceWithManager(canal, ".*\\..*"));
		server.start();
		server.start(NAME);
		server.subscribe(client);
		while (!last) {
			Message m = server.getWithoutAck(client, 50, 100L, TimeUnit.MILLISECONDS);

			if (m.getId() == -1)
				continue;
			last = send(m, pool, args[5], args[6]);
			server.ack(client, m.getId());
		}
		System.exit(0);
	}
}
