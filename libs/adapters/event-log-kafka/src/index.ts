export { KafkaEventLog, type KafkaEventLogOptions } from './kafka-event-log.js';
export { type KafkaConnection } from './kafka-client.js';
export { checkTopics, createTopics, type TopicFinding, type TopicSettings } from './kafka-topics.js';
