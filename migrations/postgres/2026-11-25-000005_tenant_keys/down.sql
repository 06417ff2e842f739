ALTER TABLE resource ADD FOREIGN KEY (tenant) REFERENCES tenant (id);
ALTER TABLE event ADD FOREIGN KEY (tenant) REFERENCES tenant (id);
